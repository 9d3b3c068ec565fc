package io.moebius.launch;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KeyToolsTest {

    @TempDir
    private Path folder;

    private static void refused(Path file, String reason) {
        var request = (CommandLine.Request.Run) CommandLine.parse(new String[] {"keys", "add", "--file", file.toString(), "--name", "alice"}, Map.of());
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
        assertThatThrownBy(() -> request.subcommand().action().run(
                        request.options(), new Subcommand.Shell(Map.of(), InputStream.nullInputStream(), nowhere, nowhere)))
                .isInstanceOf(StartException.class)
                .hasMessage(file + reason);
    }

    @Test
    void saysInWordsWhyAFileCannotBeUsed() throws Exception {
        refused(folder, " cannot be read and written as a file of API keys (Is a directory)");
        refused(folder.resolve("none/keys.json"), " cannot be read and written as a file of API keys (no such file or folder)");
        refused(Files.writeString(folder.resolve("broken.json"), "{\"keys\": ["), " is not valid JSON; give another --file");
        refused(Files.writeString(folder.resolve("other.json"), "{}"), " is no file of API keys; give another --file");
    }
}
