package io.moebius.launch;

import io.moebius.api.Readiness;
import io.moebius.hub.HubCache;
import io.moebius.license.Claims;
import io.moebius.license.LicenseException;
import io.moebius.license.PublicKeys;
import io.moebius.license.Revocations;
import io.moebius.license.SecretSource;
import io.moebius.license.Verifier;
import io.moebius.net.Connections;
import io.moebius.observe.Metrics;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * Whether the container secret allows to serve, asked before anything is fetched.
 *
 * @param keys    file of --license-keys
 * @param devices --num-devices
 * @param revocations file or address of --license-revocations
 */
record LicenseCheck(
        Optional<Path> keys, int devices, Duration grace, Optional<String> revocations, Map<String, String> environment, Clock clock) {

    private static final Duration NAP = Duration.ofMinutes(10);
    private static final long SECONDS_PER_DAY = 86_400;

    static LicenseCheck of(Settings settings, Map<String, String> environment) {
        return new LicenseCheck(
                settings.text(LicenseFlags.LICENSE_KEYS).map(Path::of),
                (int) settings.whole(EngineFlags.NUM_DEVICES),
                Duration.ofHours(settings.whole(LicenseFlags.LICENSE_GRACE)),
                settings.text(LicenseFlags.LICENSE_REVOCATIONS),
                environment,
                Clock.systemUTC());
    }

    /** @throws StartException with {@link ExitCode#NO_LICENSE} */
    void start(Readiness readiness, Metrics metrics, Console console) {
        Claims claims = claims(console);
        Instant closes = claims.expires().plus(grace);
        readiness.servesUntil(closes);
        metrics.licensedUntil(claims.expires());
        console.show("  %s%n".formatted(line(claims)));
        ExpiryNotices notices = new ExpiryNotices(claims.expires(), closes);
        if (notices.due(clock.instant())) {
            console.warn(notices.at(clock.instant()));
        }
        Thread.ofVirtual().name("license").start(() -> watch(notices, console));
    }

    private Claims claims(Console console) {
        try {
            Revocations revoked =
                    revocations.isEmpty()
                            ? Revocations.NONE
                            : Revocations.read(revocations.get(), HubCache.home(environment), new Connections(environment));
            revoked.warning().ifPresent(console::warn);
            return verifier(keys, clock).verify(SecretSource.read(environment), devices, revoked.ids());
        } catch (LicenseException e) {
            throw new StartException(ExitCode.NO_LICENSE, e.getMessage());
        }
    }

    /** A day that has begun counts as one. */
    String line(Claims claims) {
        long days = Math.max(0, Math.ceilDiv(Duration.between(clock.instant(), claims.expires()).toSeconds(), SECONDS_PER_DAY));
        return "licensed to %s until %s, %s left".formatted(claims.customer(), claims.expires(), days == 1 ? "1 day" : days + " days");
    }

    /** In short naps, for a clock may be set meanwhile. */
    private void watch(ExpiryNotices notices, Console console) {
        Instant next = notices.after(clock.instant());
        try {
            while (true) {
                Duration left = Duration.between(clock.instant(), next);
                if (left.isPositive()) {
                    Thread.sleep(left.compareTo(NAP) < 0 ? left : NAP);
                } else {
                    console.warn(notices.at(clock.instant()));
                    next = notices.after(clock.instant());
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** @throws LicenseException where a file of keys cannot be used */
    static Verifier verifier(Optional<Path> keys, Clock clock) throws LicenseException {
        PublicKeys known = PublicKeys.builtIn();
        return new Verifier(keys.isPresent() ? known.and(keys.get()) : known, clock, built());
    }

    private static Instant built() {
        try (InputStream in = LicenseCheck.class.getResourceAsStream("/moebius-built.txt")) {
            return Instant.parse(new String(in.readAllBytes(), StandardCharsets.UTF_8).strip());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
