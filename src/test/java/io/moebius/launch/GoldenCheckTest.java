package io.moebius.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GoldenCheckTest {

    private static final Path FIXTURE = Path.of("src/test/resources/fixtures/a-mixtral-window");

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    @TempDir
    private Path folder;

    @Test
    void aModelAgreesWithItsGoldens() {
        assertThat(check(FIXTURE)).isZero();
        assertThat(out.toString()).startsWith("agrees: ").contains(" on reference");
    }

    @Test
    void aModelDiffersFromChangedGoldens() throws IOException {
        copyOfFixture();
        Path goldens = folder.resolve("golden.safetensors");
        byte[] bytes = Files.readAllBytes(goldens);
        int header = Math.toIntExact(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong());
        // Every float32 value gets the other sign.
        for (int i = Long.BYTES + header + Float.BYTES - 1; i < bytes.length; i += Float.BYTES) {
            bytes[i] ^= (byte) 0x80;
        }
        Files.write(goldens, bytes);
        assertThat(check(folder)).isEqualTo(1);
        assertThat(out.toString()).startsWith("DIFFERS: ");
    }

    @Test
    void saysThatThereIsNothingToCheckAgainst() throws IOException {
        copyOfFixture();
        Files.delete(folder.resolve("golden.json"));
        assertThatThrownBy(() -> check(folder))
                .isInstanceOf(StartException.class)
                .hasMessageStartingWith("the model's folder has no golden.json and golden.safetensors to check against");
    }

    private void copyOfFixture() throws IOException {
        try (Stream<Path> files = Files.list(FIXTURE)) {
            for (Path file : files.toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
    }

    private int check(Path model) {
        String[] arguments = {"check", "--hf-model-name", model.toAbsolutePath().toString(), "--device", "reference", "--longest", "32"};
        if (CommandLine.parse(arguments, Map.of()) instanceof CommandLine.Request.Run(var subcommand, var options)) {
            return subcommand.action().run(
                    options, new Subcommand.Shell(Map.of(), InputStream.nullInputStream(), new PrintStream(out, true), System.err));
        }
        throw new AssertionError("no tool");
    }
}
