package io.moebius.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InstalledLibrariesTest {

    @Test
    void aFolderWithoutThemChangesNothing(@TempDir Path folder) {
        String before = System.getProperty("java.library.path");
        InstalledLibraries.use(folder);
        assertThat(System.getProperty("java.library.path")).isEqualTo(before);
        assertThat(System.getProperty("ENGINE_CACHE_DIR")).isNull();
    }
}
