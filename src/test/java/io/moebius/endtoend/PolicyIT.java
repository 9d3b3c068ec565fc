package io.moebius.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.policy.Choice;
import io.moebius.policy.PolicyFolder;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Searching a policy, keeping it, and serving with it. */
class PolicyIT {

    /** Few tokens and sequences keep the search short. */
    private static final List<String> SMALL = List.of("--max-batch-size", "8", "--max-token-count", "8");

    @TempDir
    private Path folder;

    private Program start(String... flags) {
        List<String> all = Stream.of(SMALL, List.of("--algo-policy-dir", folder.toString()), List.of(flags))
                .flatMap(List::stream)
                .toList();
        return Program.start(all.toArray(String[]::new));
    }

    private Path file() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".json")).findFirst().orElseThrow();
        }
    }

    @Test
    void aSearchedPolicyServesAndIsUsedByTheNextStart() throws IOException {
        try (Program program = start("--search-policy", "true").awaitReady()) {
            assertThat(program.errors()).contains("choices differ from the defaults", "5 sites, 0 missing, file " + file());
            program.terminate();
            assertThat(program.awaitExit()).isZero();
        }
        assertThat(Path.of(file().toString().replace(".json", ".html"))).exists();
        try (Program program = start().awaitReady()) {
            assertThat(program.errors()).contains("5 sites, 0 missing, file " + file()).doesNotContain("searching");
        }
    }

    @Test
    void theToolsShowVariantsAndHoldAPolicyAgainstTheMachine() throws IOException {
        try (Program tool = Program.run("policy", "variants")) {
            assertThat(tool.awaitExit()).as(tool.errors()).isZero();
            assertThat(tool.output())
                    .contains("experts 2 of 8, ", "attend 8 heads over 2, ", "lm_head 1536 x 256", " 512*", "step prompt tokens beside decodes: 4 variants");
        }
        try (Program program = start("--search-policy", "true", "--terminate-after-search", "true")) {
            assertThat(program.awaitExit()).as(program.errors()).isZero();
        }
        try (Program tool = Program.run("policy", "show", file().toString())) {
            assertThat(tool.awaitExit()).isZero();
            assertThat(tool.output()).contains("  build ", "lm_head 1536 x 256", "next best").containsPattern("\n +8  threads ");
        }
        try (Program tool = Program.run("policy", "diff", file().toString(), "--with", file().toString())) {
            assertThat(tool.awaitExit()).isZero();
            assertThat(tool.output()).isEqualTo("  no difference\n");
        }
        try (Program tool = Program.run("policy", "verify", file().toString())) {
            assertThat(tool.awaitExit()).as(tool.errors()).isIn(0, 1);
            assertThat(tool.output()).contains("  20 choices, ");
        }
    }

    @Test
    void thePortSaysThatItIsSearching() throws IOException {
        try (Program program = start("--search-policy", "true")) {
            String health = "";
            while (program.isAlive() && !health.contains("searching the policy, steps of")) {
                try {
                    health = program.get("/health").body();
                } catch (IOException notYet) {
                    // The port is not open yet.
                }
                assertThat(health).doesNotContain("\"ready\"");
            }
            HttpResponse<String> answer = program.post("/v1/completions", "{\"prompt\": \"a\"}");
            assertThat(answer.statusCode()).isEqualTo(503);
            assertThat(answer.body()).contains("not ready: searching the policy, steps of ", " %; try again later");
        }
    }

    @Test
    void aKilledSearchGoesOnWhereItWas() throws Exception {
        try (Program program = start("--search-policy", "true", "--terminate-after-search", "true")) {
            while (program.isAlive() && !program.errors().contains("steps of 4 tokens")) {
                Thread.onSpinWait();
            }
            program.kill();
            program.awaitExit();
        }
        assertThat(Files.readString(file())).contains("\"tokens\":2,").doesNotContain("\"tokens\":8,");
        try (Program program = start("--search-policy", "true", "--terminate-after-search", "true")) {
            assertThat(program.awaitExit()).isZero();
            assertThat(program.errors()).contains("steps of 4 tokens").doesNotContain("steps of 1 tokens", "steps of 2 tokens");
        }
        assertThat(Files.readString(file())).contains("\"tokens\":1,", "\"tokens\":8,");
    }

    /** SIGTERM and SIGKILL in turn, each after a random part of what a whole search takes. */
    @Test
    void aSearchThatIsEndedAgainAndAgainGetsThere() throws Exception {
        SplittableRandom random = new SplittableRandom(18);
        Set<Integer> known = Set.of();
        for (int attempt = 0; attempt < 6; attempt++) {
            try (Program program = start("--search-policy", "true", "--terminate-after-search", "true")) {
                while (program.isAlive() && !program.errors().contains("searching the policy")) {
                    Thread.onSpinWait();
                }
                if (!program.endsWithin(Duration.ofMillis(random.nextInt(1500)))) {
                    if (attempt % 2 == 0) {
                        program.terminate();
                    } else {
                        program.kill();
                    }
                }
                program.awaitExit();
                known.forEach(tokens -> assertThat(program.errors()).doesNotContain("steps of " + tokens + " tokens"));
            }
            Set<Integer> now = searched();
            assertThat(now).containsAll(known);
            known = now;
        }
        try (Program program = start("--search-policy", "true", "--terminate-after-search", "true")) {
            assertThat(program.awaitExit()).as(program.errors()).isZero();
        }
        assertThat(searched()).containsExactlyInAnyOrder(1, 2, 4, 8);
    }

    /** The token counts of a valid file; none where there is no file yet. */
    private Set<Integer> searched() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".json"))
                    .flatMap(file -> PolicyFolder.read(file).choices().stream().map(Choice::tokens))
                    .collect(Collectors.toSet());
        }
    }

    @Test
    void twoSearchesShareAFolder() throws IOException {
        try (Program one = start("--search-policy", "true", "--terminate-after-search", "true");
                Program other = start("--search-policy", "true", "--terminate-after-search", "true")) {
            assertThat(one.awaitExit()).as(one.errors()).isZero();
            assertThat(other.awaitExit()).as(other.errors()).isZero();
        }
        try (Program tool = Program.run("policy", "diff", file().toString())) {
            tool.awaitExit();
            assertThat(tool.output()).contains(" of 20 choices differ");
        }
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.filter(each -> each.toString().endsWith(".tmp"))).isEmpty();
        }
    }

    @Test
    void aVariantThatIsNoneIsRefusedBeforeTheSearch() throws IOException {
        try (Program program = start("--search-policy", "true", "--terminate-after-search", "true")) {
            assertThat(program.awaitExit()).isZero();
        }
        Files.writeString(file(), Files.readString(file()).replaceFirst("\"variant\":\"[^\"]*\"", "\"variant\":\"panel 0\""));
        try (Program program = start("--search-policy", "true")) {
            assertThat(program.awaitExit()).isEqualTo(11);
            assertThat(program.errors()).contains("policy " + file() + " refused: ", "no variant \"panel 0\"", "move it away");
        }
        try (Program program = start().awaitReady()) {
            assertThat(program.errors()).contains("policy " + file() + " refused: ", "default policy: the file in ");
        }
    }

    @Test
    void aFileOfOtherKernelsIsRefusedInOneLineAndTheDefaultsServe() throws IOException {
        try (Program program = start("--search-policy", "true", "--terminate-after-search", "true")) {
            assertThat(program.awaitExit()).isZero();
        }
        String before = Files.readString(file());
        Files.writeString(file(), before.replaceFirst("\"build\": \"[^\"]*\"", "\"build\": \"another\""));
        try (Program program = start().awaitReady()) {
            assertThat(program.errors().lines().filter(line -> line.contains("refused: "))).hasSize(1)
                    .first().asString().contains("policy " + file() + " refused: build is ", " here, another there");
            assertThat(program.errors()).contains("default policy: the file in " + folder + " was refused");
        }
        try (Program tool = Program.run("policy", "verify", file().toString())) {
            assertThat(tool.awaitExit()).isEqualTo(11);
            assertThat(tool.errors()).contains("policy " + file() + " refused: build is ", " here, another there");
        }
    }

    @Test
    void aFolderThatCannotKeepThePolicyIsOneLineWithItsCode() throws IOException {
        Path noFolder = Files.createFile(folder.resolve("file"));
        try (Program program = Program.start("--algo-policy-dir", noFolder.toString(), "--search-policy", "true")) {
            assertThat(program.awaitExit()).isEqualTo(11);
            assertThat(program.errors().lines().filter(line -> line.startsWith("moebius: "))).hasSize(1)
                    .first().asString().contains("cannot be written");
            assertThat(program.errors()).doesNotContain("searching");
        }
    }

    @Test
    void aSearchWithoutAFolderIsOneLine() {
        try (Program program = Program.start("--search-policy", "true")) {
            assertThat(program.awaitExit()).isEqualTo(2);
            assertThat(program.errors()).contains("give --algo-policy-dir DIR too");
        }
    }
}
