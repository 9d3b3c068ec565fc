package io.moebius.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SecretToolsTest {

    @TempDir
    private Path folder;

    private final Map<String, String> environment = new HashMap<>();
    private String stdin = "";

    private String run(String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        var request = (CommandLine.Request.Run) CommandLine.parse(arguments, Map.of());
        int status = request.subcommand().action().run(request.options(), new Subcommand.Shell(
                environment, new ByteArrayInputStream(stdin.getBytes(StandardCharsets.UTF_8)), new PrintStream(out), new PrintStream(OutputStream.nullOutputStream())));
        assertThat(status).isZero();
        return out.toString(StandardCharsets.UTF_8);
    }

    private String key(String file) {
        return folder.resolve(file).toString();
    }

    private String issue(String... more) {
        List<String> arguments = new ArrayList<>(List.of("secret", "issue", "--key", key("license-key.json"), "--customer", "ACME"));
        arguments.addAll(List.of(more));
        return run(arguments.toArray(String[]::new));
    }

    private String inspect(String... more) {
        List<String> arguments = new ArrayList<>(List.of("secret", "inspect", "--license-keys", key("license-key.pub.json")));
        arguments.addAll(List.of(more));
        return run(arguments.toArray(String[]::new));
    }

    private void refused(ExitCode code, String reason, String... arguments) {
        assertThatThrownBy(() -> run(arguments)).isInstanceOfSatisfying(StartException.class, e -> {
            assertThat(e.code()).isEqualTo(code);
            assertThat(e.getMessage()).contains(reason).doesNotContain("\n");
        });
    }

    @BeforeEach
    void makeKeys() {
        run("secret", "keygen", "--out", folder.toString());
    }

    @Test
    void printsTheSecretAloneOnStdout() {
        assertThat(issue("--trial")).matches("moebius1\\.[\\w-]+\\.[\\w-]+\\.[\\w-]+\n");
    }

    @Test
    void showsWhatASecretSaysAndNeverTheSecret() {
        stdin = issue("--not-before", "2026-01-02T03:04:05Z", "--expires", "2999-01-01T00:00:00Z", "--devices", "8");
        assertThat(inspect()).contains("customer: ACME", "valid from: 2026-01-02T03:04:05Z", "expires: 2999-01-01T00:00:00Z", "devices: 8",
                "valid: yes").containsPattern("id: [0-9a-f]{32}").doesNotContain(stdin.strip().split("\\.")[1]);
    }

    @Test
    void inspectsTheEnvironmentsSecretBeforeStdin() {
        environment.put("FRIENDLI_CONTAINER_SECRET", issue("--days", "3", "--devices", "5"));
        stdin = "something else";
        assertThat(inspect()).contains("devices: 5");
    }

    @Test
    void tellsByItsExitCodeWhatIsNotValid() throws Exception {
        String[] command = {"secret", "inspect", "--license-keys", key("license-key.pub.json")};
        refused(ExitCode.NO_LICENSE, "no container secret", command);
        stdin = "something else";
        refused(ExitCode.NO_LICENSE, "not one of Moebius", command);
        stdin = issue("--not-before", "2026-01-01T00:00:00Z", "--expires", "2026-01-02T00:00:00Z");
        refused(ExitCode.NO_LICENSE, "expired on 2026-01-02", command);
        stdin = issue("--days", "1");
        String id = inspect().replaceFirst("(?s).*id: ([0-9a-f]{32}).*", "$1");
        Files.writeString(folder.resolve("revoked.json"), "{\"revoked\": [\"" + id + "\"]}");
        refused(ExitCode.NO_LICENSE, "has been revoked",
                "secret", "inspect", "--license-keys", key("license-key.pub.json"), "--license-revocations", key("revoked.json"));
        refused(ExitCode.NO_LICENSE, "does not know", "secret", "inspect");
    }

    @Test
    void aSecretOnTheCommandLineIsRefusedAndNotRepeated() {
        String secret = issue("--trial").strip();
        assertThatThrownBy(() -> run("secret", "inspect", secret))
                .hasMessageContaining("belongs into a variable, a file or stdin")
                .hasMessageNotContaining(secret.split("\\.")[1]);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "'' | give one of", "--trial --days 3 | give one of", "--days 0 | from 1 to 36500", "--not-before 2026-01-01T00:00:00Z | --expires is missing",
        "--expires 2999-01-01T00:00:00Z | --not-before is missing", "--not-before 2026-01-01 --expires 2999-01-01T00:00:00Z | give a time like",
        "--not-before 2027-01-01T00:00:00Z --expires 2026-01-01T00:00:00Z | lies after", "--trial --devices 0 | from 1 to 4096"})
    void refusesInOneLine(String flags, String reason) {
        List<String> arguments = new ArrayList<>(List.of("secret", "issue", "--key", key("license-key.json"), "--customer", "ACME"));
        if (!flags.isEmpty()) {
            arguments.addAll(List.of(flags.split(" ")));
        }
        refused(ExitCode.USAGE, reason, arguments.toArray(String[]::new));
    }

    @Test
    void signsWithAPrivateKeyAlone() {
        refused(ExitCode.USAGE, "is no signing key", "secret", "issue", "--key", key("license-key.pub.json"), "--customer", "ACME", "--trial");
        refused(ExitCode.USAGE, "holds no key", "secret", "keygen", "--out", folder.toString());
    }
}
