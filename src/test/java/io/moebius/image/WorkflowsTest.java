package io.moebius.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.MAP;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.yaml.snakeyaml.Yaml;

/** The hosted workflows do nothing that {@code .ci/run} doesn't do on any machine. */
class WorkflowsTest {

    private static final Pattern SCRIPT = Pattern.compile("(?:\\.ci|deploy)/[a-z-]+(?:\\.sh)?");
    /** Lists newer versions of dependencies, which no change to the project alters. */
    private static final Set<String> ON_A_SCHEDULE = Set.of(".ci/dependencies");

    @ParameterizedTest
    @MethodSource("workflows")
    void everyRunBlockIsOneCallOfAScript(Path workflow) throws IOException {
        for (String block : runBlocks(workflow)) {
            assertThat(block).as(workflow.toString()).matches(SCRIPT);
            assertThat(Files.isExecutable(Path.of(block))).as(block + " is executable").isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource("workflows")
    void everyRunBlockIsCalledByTheLocalCheckToo(Path workflow) throws IOException {
        Set<String> reached = calledFrom(".ci/run");
        reached.addAll(ON_A_SCHEDULE);
        assertThat(reached).as(workflow.toString()).containsAll(runBlocks(workflow));
    }

    @ParameterizedTest
    @MethodSource("workflows")
    void everyJobHasATimeLimitAndTheWorkflowNamesItsPermissions(Path workflow) throws IOException {
        Map<String, Object> content = load(workflow);
        assertThat(content).containsKey("permissions");
        jobs(content).forEach(job -> assertThat(job).containsKey("timeout-minutes"));
    }

    @Test
    void thereAreWorkflowsForVerifyReleaseAndDependencies() throws IOException {
        assertThat(workflows().map(path -> path.getFileName().toString()))
                .contains("verify.yml", "release.yml", "dependencies.yml");
    }

    @Test
    void aReleaseMakesEveryCheckAndLetsNoneBeLeftOut() throws IOException {
        Path release = Path.of(".github/workflows/release.yml");
        assertThat(jobs(load(release))).allSatisfy(job -> assertThat(job.get("env")).asInstanceOf(MAP).containsEntry("MOEBIUS_CHECK_ALL", 1));
        assertThat(runBlocks(release)).containsAll(calledBy(".ci/run"));
    }

    @ParameterizedTest
    @CsvSource({"'', 4", "0, 4", "1, 1"})
    void whatIsNotCheckedFailsWhereAllHasToBe(String all, int code) throws Exception {
        ProcessBuilder script = new ProcessBuilder(".ci/not-checked", "the reason").redirectErrorStream(true);
        script.environment().put("MOEBIUS_CHECK_ALL", all);
        Process process = script.start();
        assertThat(new String(process.getInputStream().readAllBytes())).contains("NOT CHECKED: the reason");
        assertThat(process.waitFor()).isEqualTo(code);
    }

    @Test
    void everyScriptSaysInOneWayWhatItDoesNotCheck() throws IOException {
        for (String script : calledFrom(".ci/run")) {
            if (!script.equals(".ci/not-checked") && Files.isRegularFile(Path.of(script))) {
                assertThat(Files.readString(Path.of(script))).as(script).doesNotContain("NOT CHECKED").doesNotContain("exit 4");
            }
        }
    }

    static Stream<Path> workflows() throws IOException {
        try (Stream<Path> files = Files.list(Path.of(".github/workflows"))) {
            return files.sorted().toList().stream();
        }
    }

    private static List<String> runBlocks(Path workflow) throws IOException {
        return jobs(load(workflow)).stream()
                .flatMap(job -> maps(job.get("steps")).stream())
                .filter(step -> step.containsKey("run"))
                .map(step -> step.get("run").toString().strip())
                .toList();
    }

    private static Map<String, Object> load(Path workflow) throws IOException {
        return new Yaml().load(Files.readString(workflow));
    }

    private static List<Map<String, Object>> jobs(Map<String, Object> workflow) {
        return maps(List.copyOf(((Map<?, ?>) workflow.get("jobs")).values()));
    }

    @SuppressWarnings("unchecked")
    private static List<Map<String, Object>> maps(Object list) {
        return (List<Map<String, Object>>) list;
    }

    /** Other scripts that {@code script} names. */
    private static Set<String> calledBy(String script) throws IOException {
        return SCRIPT.matcher(Files.readString(Path.of(script))).results()
                .map(MatchResult::group)
                .filter(other -> !other.equals(script))
                .collect(Collectors.toSet());
    }

    /** Those, and the ones that they name. */
    private static Set<String> calledFrom(String script) throws IOException {
        Set<String> found = new TreeSet<>();
        Deque<String> open = new ArrayDeque<>(List.of(script));
        while (!open.isEmpty()) {
            Path file = Path.of(open.pop());
            if (Files.isRegularFile(file)) {
                calledBy(file.toString()).stream().filter(found::add).forEach(open::push);
            }
        }
        return found;
    }
}
