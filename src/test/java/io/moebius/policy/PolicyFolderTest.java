package io.moebius.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moebius.backend.Site;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

class PolicyFolderTest {

    private static final Origin HERE = new Origin("b1", "AMD EPYC", 2, 0, 1, "MixtralForCausalLM hidden 64", "AutoFP8");
    private static final Choice CHOICE =
            new Choice(new Site("project", "64 x 64 e4m3"), 4, "threads 1, panel 16, direct 4", 12.5, 20, "threads 2, panel 8, direct 4", 13, 6);

    @TempDir
    private Path folder;

    private PolicyFolder policies() {
        return new PolicyFolder(folder);
    }

    private Path saved() {
        policies().save(HERE, List.of(CHOICE));
        return policies().file(HERE);
    }

    @Test
    void givesBackWhatItWasGiven() {
        saved();
        assertThat(policies().find(HERE)).contains(new Policy(HERE, List.of(CHOICE)));
    }

    @Test
    void hasNoPolicyWhereThereIsNoFile() {
        assertThat(policies().find(HERE)).isEmpty();
        assertThat(new PolicyFolder(folder.resolve("absent")).find(HERE)).isEmpty();
    }

    @Test
    void mergesBySiteAndTokenCount() {
        saved();
        Choice faster = new Choice(CHOICE.site(), 4, "threads 1, panel 8, direct 4", 10, 20, "", 0, 0);
        Choice other = new Choice(CHOICE.site(), 8, "threads 1, panel 8, direct 4", 30, 40, "", 0, 0);
        assertThat(policies().save(HERE, List.of(other, faster)).choices()).containsExactly(faster, other);
        assertThat(policies().find(HERE).orElseThrow().choices()).containsExactly(faster, other);
    }

    @Test
    void theFileIsForPeopleToo() throws IOException {
        assertThat(Files.readString(saved())).contains("\n    {\"kernel\":\"project\",").contains("\"build\": \"b1\"").endsWith("\n}\n");
        assertThat(Files.getPosixFilePermissions(saved())).hasToString("[OWNER_READ, OWNER_WRITE, GROUP_READ, OTHERS_READ]");
    }

    @Test
    void leavesNothingElseBehind() throws IOException {
        saved();
        policies().check(HERE);
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.map(file -> file.getFileName().toString())).containsExactlyInAnyOrder(HERE.fileName(), ".policy.lock");
        }
    }

    @Test
    void beginsAnewWithOtherKernels() {
        saved();
        Origin newer = new Origin("b2", HERE.device(), 2, 0, 1, HERE.model(), HERE.format());
        policies().check(newer);
        assertThat(policies().save(newer, List.of()).choices()).isEmpty();
    }

    @Test
    void neverOverwritesWhatBelongsElsewhere() throws IOException {
        Path file = saved();
        String foreign = Files.readString(file).replace("AMD EPYC", "Intel Xeon");
        Files.writeString(file, foreign);
        assertThatThrownBy(() -> policies().check(HERE)).hasMessageContaining("belongs to another machine");
        assertThatThrownBy(() -> policies().save(HERE, List.of(CHOICE))).hasMessageContaining("belongs to another machine");
        assertThat(Files.readString(file)).isEqualTo(foreign);
    }

    @Test
    void neverOverwritesWhatIsNoPolicy() throws IOException {
        Files.writeString(policies().file(HERE), "my notes");
        assertThatThrownBy(() -> policies().save(HERE, List.of(CHOICE))).hasMessageContaining("is not overwritten");
        assertThat(Files.readString(policies().file(HERE))).isEqualTo("my notes");
    }

    @Test
    void keepsWhatManyWriteAtOnce() throws Exception {
        List<Thread> writers = IntStream.rangeClosed(1, 24)
                .mapToObj(tokens -> Thread.ofPlatform().start(() -> new PolicyFolder(folder).save(
                        HERE, List.of(new Choice(CHOICE.site(), tokens, CHOICE.variant(), 1, 2, "", 0, 0)))))
                .toList();
        for (Thread writer : writers) {
            writer.join();
        }
        assertThat(policies().find(HERE).orElseThrow().choices()).hasSize(24);
    }

    @Test
    void aFolderThatIsAFileCannotBeWritten() throws IOException {
        PolicyFolder file = new PolicyFolder(Files.createFile(folder.resolve("file")));
        assertThatThrownBy(() -> file.check(HERE)).isInstanceOf(PolicyException.class).hasMessageContaining("cannot be written");
    }

    @TestFactory
    Stream<DynamicTest> refusesOtherOrigins() {
        return Map.of(
                        "build is b1 here, b0 there", new Origin("b0", "AMD EPYC", 2, 0, 1, HERE.model(), "AutoFP8"),
                        "driver is 0 here, 580 there", new Origin("b1", "AMD EPYC", 2, 580, 1, HERE.model(), "AutoFP8"))
                .entrySet()
                .stream()
                .map(there -> DynamicTest.dynamicTest(there.getKey(), () -> {
                    policies().save(there.getValue(), List.of(CHOICE));
                    refused(there.getKey());
                }));
    }

    @TestFactory
    Stream<DynamicTest> refusesFilesThatOnlyHaveItsName() {
        return Map.of(
                        "cores is 2 here, 4 there", new Origin("b1", "AMD EPYC", 4, 0, 1, HERE.model(), "AutoFP8"),
                        "device is AMD EPYC here, Intel Xeon there", new Origin("b1", "Intel Xeon", 2, 0, 1, HERE.model(), "AutoFP8"),
                        "devices is 1 here, 8 there", new Origin("b1", "AMD EPYC", 2, 0, 8, HERE.model(), "AutoFP8"),
                        "model is " + HERE.model() + " here, another there", new Origin("b1", "AMD EPYC", 2, 0, 1, "another", "AutoFP8"),
                        "format is AutoFP8 here, bf16 there", new Origin("b1", "AMD EPYC", 2, 0, 1, HERE.model(), "bf16"))
                .entrySet()
                .stream()
                .map(there -> DynamicTest.dynamicTest(there.getKey(), () -> {
                    Files.deleteIfExists(policies().file(HERE));
                    policies().save(there.getValue(), List.of(CHOICE));
                    Files.move(policies().file(there.getValue()), policies().file(HERE), StandardCopyOption.REPLACE_EXISTING);
                    refused(there.getKey() + "; move it away, then ");
                }));
    }

    private void refused(String message) {
        assertThatThrownBy(() -> policies().find(HERE))
                .isInstanceOf(PolicyException.class)
                .hasMessageStartingWith("policy " + policies().file(HERE) + " refused: ")
                .hasMessageContaining(message)
                .hasMessageContaining("--search-policy true makes a new one")
                .hasMessageNotContaining("\n")
                .hasMessageNotContaining("\u001b");
    }

    /** What is done to a good file's text, and what the refusal says. */
    private record Damage(String what, UnaryOperator<String> how, String message) {}

    private static Damage replace(String from, String to, String message) {
        return new Damage(from + " to " + to, text -> text.replace(from, to), message);
    }

    @TestFactory
    Stream<DynamicTest> refusesBrokenFiles() throws IOException {
        String good = Files.readString(saved());
        List<Damage> damages = new ArrayList<>(List.of(
                new Damage("empty", text -> "", "no JSON object"),
                new Damage("an empty object", text -> "{}", "has no"),
                new Damage("a list", text -> "[]", "no JSON object"),
                new Damage("a number", text -> "7", "no JSON object"),
                new Damage("null", text -> "null", "no JSON object"),
                new Damage("not JSON", text -> "policy", "not JSON"),
                new Damage("NUL bytes", text -> "\0\0\0\0", "not JSON"),
                new Damage("two documents", text -> text + text, "not JSON"),
                new Damage("deep nesting", text -> "[".repeat(5000), "not JSON"),
                replace("\"schema\": 1", "\"\\u001b[2J\": 1, \"\\u001b[2J\": 1", "?[2J"),
                new Damage("a field twice", text -> text.replace("\"cores\"", "\"build\": \"b1\", \"cores\""), "not JSON"),
                replace("\"schema\": 1", "\"schema\": 2", "schema is 1 here, 2 there"),
                replace("\"schema\": 1", "\"schema\": \"1\"", "schema is"),
                replace("\"schema\": 1", "\"schema\": 1.5", "schema is"),
                replace("\"schema\": 1", "\"schema\": 99999999999", "schema is"),
                replace("\"cores\": 2", "\"cores\": -2", "cores is -2"),
                replace("\"cores\": 2", "\"cores\": null", "cores is null"),
                replace("\"build\": \"b1\"", "\"build\": \"\"", "build is"),
                replace("\"build\": \"b1\"", "\"build\": 5", "build is 5"),
                replace("\"build\"", "\"biuld\"", "has no build"),
                replace("\"choices\": [", "\"choices\": [7,", "no JSON object"),
                replace("\"choices\": [", "\"choices\": [[],", "no JSON object"),
                replace("\"tokens\":4", "\"tokens\":0", "no tokens"),
                replace("\"tokens\":4", "\"tokens\":-1", "tokens is -1"),
                replace("\"tokens\":4", "\"tokens\":9999999", "tokens is 9999999"),
                replace("\"tokens\":4", "\"tokens\":4.5", "tokens is 4.5"),
                replace("\"micros\":12.5", "\"micros\":-1", "micros is -1"),
                replace("\"micros\":12.5", "\"micros\":\"fast\"", "micros is"),
                replace("\"micros\":12.5", "\"micros\":1e999", "micros is"),
                replace("\"micros\":12.5", "\"micros\":NaN", "not JSON"),
                replace("\"kernel\":\"project\"", "\"kernel\":\"\"", "kernel is"),
                replace("\"kernel\":\"project\"", "\"kernel\":[\"project\"]", "kernel is"),
                replace("\"kernel\"", "\"colour\":1,\"kernel\"", "unknown field colour"),
                replace("\"variant\"", "\"tile\"", "has no variant"),
                replace("\"runner_up\":\"", "\"runner_up\":\"\\u001b[2J", "runner_up is"),
                replace("\"runner_up\":\"threads 2, panel 8, direct 4\"", "\"runner_up\":{}", "runner_up is"),
                replace("threads 1, panel 16, direct 4", "x".repeat(400), "variant is")));
        String line = good.lines().filter(each -> each.contains("\"kernel\"")).collect(Collectors.joining());
        damages.add(replace(line, line + "," + line, "twice"));
        for (int cut : new int[] {1, good.length() / 3, good.length() / 2, good.length() - 3}) {
            damages.add(new Damage("cut at " + cut, text -> text.substring(0, cut), "not JSON"));
        }
        return damages.stream().map(damage -> DynamicTest.dynamicTest(damage.what(), () -> {
            Files.writeString(policies().file(HERE), damage.how().apply(good), StandardCharsets.UTF_8);
            refused(damage.message());
        }));
    }

    @Test
    void refusesAFolderInPlaceOfAFile() throws IOException {
        Files.createDirectory(policies().file(HERE));
        refused("no regular file");
    }

    @Test
    void saysThatAFileIsNotThere() {
        assertThatThrownBy(() -> PolicyFolder.read(folder.resolve("absent"))).hasMessage("there is no such file");
    }

    @Test
    void refusesALinkToNothing() throws IOException {
        Files.createSymbolicLink(policies().file(HERE), folder.resolve("nothing"));
        refused("no regular file");
    }

    @Test
    void refusesAFileOfManyMegabytes() throws IOException {
        Files.write(policies().file(HERE), new byte[17 << 20]);
        refused("allowed: 16777216");
    }
}
