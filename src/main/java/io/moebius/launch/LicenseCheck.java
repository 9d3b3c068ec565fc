package io.moebius.launch;

import io.moebius.api.Readiness;
import io.moebius.license.Claims;
import io.moebius.license.LicenseException;
import io.moebius.license.PublicKeys;
import io.moebius.license.SecretSource;
import io.moebius.license.Verifier;
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
 */
record LicenseCheck(Optional<Path> keys, int devices, Duration grace, Map<String, String> environment) {

    private static final Duration WARNING = Duration.ofDays(7);

    static LicenseCheck of(Settings settings, Map<String, String> environment) {
        return new LicenseCheck(
                settings.text(LicenseFlags.LICENSE_KEYS).map(Path::of),
                (int) settings.whole(EngineFlags.NUM_DEVICES),
                Duration.ofHours(settings.whole(LicenseFlags.LICENSE_GRACE)),
                environment);
    }

    /** @throws StartException with {@link ExitCode#NO_LICENSE} */
    void start(Readiness readiness, Console console) {
        Claims claims;
        try {
            claims = verifier(keys).verify(SecretSource.read(environment), devices);
        } catch (LicenseException e) {
            throw new StartException(ExitCode.NO_LICENSE, e.getMessage());
        }
        readiness.servesUntil(claims.expires().plus(grace));
        Duration left = Duration.between(Instant.now(), claims.expires());
        console.phase("licensed to %s until %s, %d days left%s".formatted(
                claims.customer(), claims.expires(), Math.max(0, left.toDays()),
                left.compareTo(WARNING) < 0 ? "; WARNING: renew the container secret" : ""));
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
