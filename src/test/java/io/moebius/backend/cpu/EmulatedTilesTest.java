package io.moebius.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The engine of {@link InstructionSet#AMX} over emulated instructions (src-native/cpu/test), on any machine. */
class EmulatedTilesTest {

    private static final Path PROGRAM = Path.of("target/native-cpu/tiles_test").toAbsolutePath();

    @Test
    void tilesGiveWhatTheyShouldAndNoRowsBitsDependOnOthers() throws Exception {
        Process process = new ProcessBuilder(PROGRAM.toString()).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        assertThat(output).contains("ok     experts keep each row's bits", "\n0 failures");
    }
}
