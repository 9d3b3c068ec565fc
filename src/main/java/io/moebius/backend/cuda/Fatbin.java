package io.moebius.backend.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;

/**
 * The kernels for all GPUs in one file, as nvcc has built them.
 *
 * @param build tells builds apart: the first digits of the file's SHA-256
 */
public record Fatbin(byte[] bytes, String build) {

    private static final String NAME = "moebius.fatbin";
    private static final int BUILD_DIGITS = 12;

    /** @return empty where the program was built without nvcc */
    public static Optional<Fatbin> in(Path folder) {
        Path file = folder.resolve(NAME);
        try {
            return Files.exists(file) ? Optional.of(of(Files.readAllBytes(file))) : Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What the Java build carries along. */
    public static Optional<Fatbin> packed() {
        try (InputStream in = Fatbin.class.getResourceAsStream("/" + NAME)) {
            return in == null ? Optional.empty() : Optional.of(of(in.readAllBytes()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Fatbin of(byte[] bytes) {
        try {
            String digest = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
            return new Fatbin(bytes, digest.substring(0, BUILD_DIGITS));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
