package io.moebius.license;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;

/** A secret of a key pair made on the spot. */
public record TrialSecret(String text, Path publicKey) {

    /** @param valid from now on; negative for one that has been valid until then, for a day */
    public static TrialSecret make(Duration valid) {
        try {
            Path folder = Files.createTempDirectory(Path.of("target").toAbsolutePath(), "license");
            SigningKey.generate(folder);
            Instant now = Instant.ofEpochSecond(Instant.now().getEpochSecond());
            Claims claims = new Claims("f".repeat(32), "a test", now, valid.isNegative() ? now.plus(valid).minus(Duration.ofDays(1)) : now, now.plus(valid), 8);
            return new TrialSecret(
                    SigningKey.open(folder.resolve("license-key.json")).issue(claims), folder.resolve("license-key.pub.json"));
        } catch (IOException | LicenseException e) {
            throw new IllegalStateException(e);
        }
    }

    public static TrialSecret make() {
        return make(Duration.ofDays(28));
    }

    /** The variables of a program on this machine. */
    public Map<String, String> environment() {
        return Map.of("FRIENDLI_CONTAINER_SECRET", text, "MOEBIUS_LICENSE_KEYS", publicKey.toString());
    }
}
