package io.moebius.launch;

import io.moebius.api.Readiness;
import io.moebius.license.Claims;
import io.moebius.license.LicenseException;
import io.moebius.license.PublicKeys;
import io.moebius.license.Revocations;
import io.moebius.license.SecretSource;
import io.moebius.license.Verifier;
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
        Optional<Path> keys, int devices, Duration grace, Optional<String> revocations, Map<String, String> environment) {

    private static final Duration WARNING = Duration.ofDays(7);
    private static final Duration DAY = Duration.ofDays(1);

    static LicenseCheck of(Settings settings, Map<String, String> environment) {
        return new LicenseCheck(
                settings.text(LicenseFlags.LICENSE_KEYS).map(Path::of),
                (int) settings.whole(EngineFlags.NUM_DEVICES),
                Duration.ofHours(settings.whole(LicenseFlags.LICENSE_GRACE)),
                settings.text(LicenseFlags.LICENSE_REVOCATIONS),
                environment);
    }

    /** @throws StartException with {@link ExitCode#NO_LICENSE} */
    void start(Readiness readiness, Metrics metrics, Console console) {
        Claims claims;
        try {
            Revocations revoked = revocations.isEmpty() ? Revocations.NONE : Revocations.read(revocations.get(), revocationsCache(environment));
            revoked.warning().ifPresent(console::warn);
            claims = verifier(keys).verify(SecretSource.read(environment), devices, revoked.ids());
        } catch (LicenseException e) {
            throw new StartException(ExitCode.NO_LICENSE, e.getMessage());
        }
        readiness.servesUntil(claims.expires().plus(grace));
        Duration left = Duration.between(Instant.now(), claims.expires());
        console.phase("licensed to %s until %s, %d days left%s".formatted(
                claims.customer(), claims.expires(), Math.max(0, left.toDays()),
                left.compareTo(WARNING) < 0 ? "; WARNING: renew the container secret" : ""));
        metrics.licensedUntil(claims.expires());
        Thread.ofPlatform().daemon().name("license").start(() -> watch(claims.expires(), console));
    }

    /** Says once a day that the secret expires soon, or has. */
    private void watch(Instant expires, Console console) {
        Instant next = expires.minus(WARNING);
        while (true) {
            try {
                Thread.sleep(Duration.between(Instant.now(), next).plusSeconds(1));
            } catch (InterruptedException e) {
                return;
            }
            Instant now = Instant.now();
            if (now.isBefore(next)) {
                continue;
            }
            console.warn(now.isBefore(expires)
                    ? "the container secret expires on %s; renew it".formatted(expires)
                    : "the container secret expired on %s; new requests are answered until %s".formatted(expires, expires.plus(grace)));
            next = now.plus(DAY).isAfter(expires) && now.isBefore(expires) ? expires : now.plus(DAY);
        }
    }

    /** Where the last list of an address is kept: in the cache that outlives the container. */
    static Path revocationsCache(Map<String, String> environment) {
        return Path.of(environment.getOrDefault("HF_HOME", environment.getOrDefault("HOME", "/root") + "/.cache/huggingface"), "moebius-revoked.json");
    }

    /** @throws LicenseException where a file of keys cannot be used */
    static Verifier verifier(Optional<Path> keys) throws LicenseException {
        PublicKeys known = PublicKeys.builtIn();
        return new Verifier(keys.isPresent() ? known.and(keys.get()) : known, Clock.systemUTC(), built());
    }

    private static Instant built() {
        try (InputStream in = LicenseCheck.class.getResourceAsStream("/moebius-built.txt")) {
            return Instant.parse(new String(in.readAllBytes(), StandardCharsets.UTF_8).strip());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
