package io.moebius.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The generated pages are as the tables say; -Dmoebius.docs.write=true writes them anew. */
class PagesTest {

    @Test
    void theFlagsPageIsTheTable() throws IOException {
        check("docs/flags.md", Help.flagsPage());
    }

    @Test
    void theExitCodesPageIsTheEnum() throws IOException {
        check("docs/exit-codes.md", Help.exitCodesPage());
    }

    private static void check(String file, String expected) throws IOException {
        if (Boolean.getBoolean("moebius.docs.write")) {
            Files.writeString(Path.of(file), expected);
        }
        assertThat(Path.of(file)).hasContent(expected);
    }
}
