package io.moebius.launch;

import java.util.List;
import java.util.Optional;

/** All tools of the program. */
final class Subcommands {

    static final List<Subcommand> ALL = List.of(
            HealthCheck.SUBCOMMAND, GoldenCheck.SUBCOMMAND, CudaCheck.SUBCOMMAND,
            HubTools.DOWNLOAD, HubTools.MODELS, SecretTools.KEYGEN, SecretTools.ISSUE, SecretTools.INSPECT,
            KeyTools.ADD,
            PolicyTools.VARIANTS, PolicyTools.SHOW, PolicyTools.DIFF, PolicyTools.VERIFY,
            BenchTools.GENERATE, ModelBenchTool.MODEL, BenchTools.KERNELS);

    private Subcommands() {}

    /** Those whose words begin with {@code word} and have more. */
    static List<Subcommand> beginningWith(String word) {
        return ALL.stream().filter(tool -> tool.words().startsWith(word + " ")).toList();
    }

    /** The one whose words {@code arguments} begin with. */
    static Optional<Subcommand> find(List<String> arguments) {
        return ALL.stream()
                .filter(known -> {
                    List<String> words = List.of(known.words().split(" "));
                    return arguments.size() >= words.size() && arguments.subList(0, words.size()).equals(words);
                })
                .findFirst();
    }
}
