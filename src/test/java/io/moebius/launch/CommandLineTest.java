package io.moebius.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CommandLineTest {

    private static Map<String, String> serve(Map<String, String> environment, String line) {
        String[] arguments = line.isEmpty() ? new String[0] : line.split(" ");
        return ((CommandLine.Request.Serve) CommandLine.parse(arguments, environment)).values();
    }

    @Test
    void givesDefaultsWithoutFlags() {
        assertThat(serve(Map.of(), ""))
                .containsEntry("moebius.web-server-port", "8000")
                .containsEntry("moebius.metrics-port", "8281")
                .containsEntry("moebius.device", "auto")
                .doesNotContainKey("moebius.quantization");
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "--web-server-port 8000 --hf-model-name FriendliAI/Mixtral-8x7B-Instruct-v0.1-fp8 --algo-policy-dir /policy",
        "--search-policy false --terminate-after-search false --grpc false --num-devices 1",
        "--kv-cache-dtype auto --dtype auto",
        "--web-server-port=8001 --ignore-nan-error",
        "--ignore-nan-error true --tokenizer-add-special-tokens false",
        "--device cuda",
    })
    void takesWhatTheContainerTakes(String line) {
        assertThat(serve(Map.of(), line)).isNotEmpty();
    }

    @Test
    void aBareBooleanFlagMeansTrue() {
        assertThat(serve(Map.of(), "--ignore-nan-error --web-server-port 1"))
                .containsEntry("moebius.ignore-nan-error", "true")
                .containsEntry("moebius.web-server-port", "1");
    }

    @Test
    void theCommandLineComesBeforeTheEnvironment() {
        Map<String, String> environment = Map.of("MOEBIUS_WEB_SERVER_PORT", "9000", "MOEBIUS_MAX_BATCH_SIZE", "7");
        assertThat(serve(environment, "--web-server-port 9001"))
                .containsEntry("moebius.web-server-port", "9001")
                .containsEntry("moebius.max-batch-size", "7");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--web-server-prot 1 | --web-server-port",
        "--hf-model FriendliAI/x | --hf-model-name",
        "--hepl | --help",
        "-p 1 | unknown flag -p; --help lists all",
        "--api-keys-file /absent/keys.json | allowed: a file that can be read",
        "--tokenizer-file-path / | allowed: a file that can be read",
        "serve | unexpected word \"serve\"",
        "bench | give one of: bench generate, bench model, bench kernels",
        "secret isue | give one of: secret keygen, secret issue, secret inspect",
        "--web-server-port | needs a value; allowed: whole numbers from 0 to 65535",
        "--web-server-port --metrics-port 1 | needs a value",
        "--web-server-port eight | whole numbers from 0 to 65535",
        "--web-server-port 65536 | 65536",
        "--web-server-port -1 | -1",
        "--web-server-port=-1 | -1",
        "--web-server-port 99999999999999999999 | whole numbers",
        "--web-server-port= | whole numbers",
        "--ignore-nan-error yes | allowed: true and false",
        "--log-format xml | allowed: text, json",
        "--device gpu | allowed: auto, cpu, cuda, reference",
        "--activations 4bit | allowed: auto, 16bit, 8bit",
        "--search-budget 0 | 1 to 1440",
        "--grpc true | not supported yet",
        "--num-devices 0 | 1 to 64",
        "-d 65 | 1 to 64",
        "--dtype bf16 | not supported yet",
        "--kv-cache-dtype int8 | allowed: auto, bf16, fp8",
        "--quantization 3bit | allowed: 8bit, 4bit, 16bit",
        "--adapter-model a:b | not supported yet",
        "--bad-stop-file-path x | not supported yet",
        "--max-input-length 5 | not supported yet",
        "--max-output-length 5 | not supported yet",
        "--max-batch-size 0 | 1 to 4096",
        "--max-sequence-length 1 | 2 to",
        "--drain-timeout -5 | -5",
        "--timeout-microseconds 1.5 | whole numbers",
        "--num-layers 3 | unknown flag --num-layers",
        "--web-server-port 1 --web-server-port 2 | twice",
        "--web-server-port 8281 | different ports",
        "--search-policy | give --algo-policy-dir DIR too",
        "--terminate-after-search --algo-policy-dir x | give --search-policy true too",
    })
    void refusesInOneLine(String line, String message) {
        assertThatThrownBy(() -> serve(Map.of(), line))
                .isInstanceOfSatisfying(StartException.class, e -> {
                    assertThat(e.code()).isEqualTo(ExitCode.USAGE);
                    assertThat(e.getMessage()).contains(message).doesNotContain("\n");
                });
    }

    @Test
    void refusesAWrongTwinByItsName() {
        assertThatThrownBy(() -> serve(Map.of("MOEBIUS_LOG_FORMAT", "xml"), ""))
                .hasMessageContaining("MOEBIUS_LOG_FORMAT")
                .hasMessageContaining("text, json");
    }

    @Test
    void showsNoControlCharactersOfAWrongValue() {
        assertThatThrownBy(() -> CommandLine.parse(new String[] {"--log-format", "a\nb\u001b[31m"}, Map.of()))
                .hasMessageContaining("a?b?[31m");
    }

    @Test
    void helpShowsWhatStandsForAValue() {
        assertThat(Help.forTerminal()).contains("--api-keys-file <a file>\n", "--web-server-port N\n", "--log-format text|json\n");
    }

    @Test
    void helpOnTheBeginningOfAToolsNameIsThatOfAllSuchTools() {
        assertThat(CommandLine.parse(new String[] {"policy", "--help"}, Map.of())).isEqualTo(new CommandLine.Request.HelpOn(
                List.of(PolicyTools.VARIANTS, PolicyTools.SHOW, PolicyTools.DIFF, PolicyTools.VERIFY)));
    }

    @Test
    void helpFitsATerminal() {
        assertThat(Help.forTerminal().lines()).allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(80));
    }
}
