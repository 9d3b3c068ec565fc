package io.moebius.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A policy folder as processes of their own meet it. */
class PolicyProcessesTest {

    private static final int WRITERS = 4;
    private static final int CHOICES = 25;

    @TempDir
    private Path folder;

    private List<String> writer(String kernel) {
        return List.of(
                ProcessHandle.current().info().command().orElse("java"), "-XX:+UseSerialGC", "-cp", System.getProperty("java.class.path"),
                PolicyWriter.class.getName(), folder.toString(), kernel, Integer.toString(CHOICES));
    }

    private static Process start(List<String> command) throws IOException {
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    @Test
    void keepTheChoicesOfEachOther() throws Exception {
        List<Process> writers = new ArrayList<>();
        for (int i = 0; i < WRITERS; i++) {
            writers.add(start(writer("kernel" + i)));
        }
        for (Process writer : writers) {
            assertThat(new String(writer.getInputStream().readAllBytes(), StandardCharsets.UTF_8)).isEmpty();
            assertThat(writer.waitFor()).isZero();
        }
        assertThat(new PolicyFolder(folder).find(PolicyWriter.ORIGIN).orElseThrow().choices()).hasSize(WRITERS * CHOICES);
    }

    @Test
    void areToldThatTheFolderIsFull() throws Exception {
        assertThat(onFileSystem("size=64k")).startsWith("the policy folder " + folder + " cannot be written (").contains("No space left");
    }

    @Test
    void areToldThatTheFolderIsReadOnly() throws Exception {
        assertThat(onFileSystem("ro")).startsWith("the policy folder " + folder + " cannot be written (").contains("Read-only");
    }

    /** What a writer says whose folder is a small file system in memory, which it alone sees. */
    private String onFileSystem(String options) throws Exception {
        String mount = "mount -t tmpfs -o " + options + " none " + folder;
        assumeThat(works(alone(mount))).as("a user may mount file systems of his own").isTrue();
        Process writer = start(Stream.concat(alone(mount + " && exec \"$@\"").stream(), Stream.concat(Stream.of("sh"), writer("kernel").stream())).toList());
        return new String(writer.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    private static boolean works(List<String> command) throws InterruptedException {
        try {
            return start(command).waitFor() == 0;
        } catch (IOException noSuchProgram) {
            return false;
        }
    }

    private static List<String> alone(String script) {
        return List.of("unshare", "--map-root-user", "--mount", "sh", "-c", script);
    }
}
