package io.moebius.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InstalledFilesTest {

    @Test
    void anExecutableThatStandsAloneHasNone(@TempDir Path folder) {
        assertThat(InstalledFiles.of(folder)).isEmpty();
    }

    @Test
    void theDemoModelLiesBesideTheLibraries(@TempDir Path folder) throws IOException {
        Files.createDirectories(folder.resolve("lib/tokenizers"));
        assertThat(InstalledFiles.of(folder).orElseThrow().demoModel()).isEqualTo(folder.resolve("demo-model"));
    }

    @Test
    void theVirtualMachineOfTheTestsHasNone() {
        assertThat(InstalledFiles.find()).isEmpty();
    }
}
