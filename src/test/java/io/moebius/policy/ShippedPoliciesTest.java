package io.moebius.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** src/test/resources/policy holds a policy for a processor that no machine has. */
class ShippedPoliciesTest {

    private static final Origin ABACUS = new Origin("b1", "Abacus 7", 2, 0, 1, "ToyForCausalLM", "fp8");

    @Test
    void areFoundByModelAndMachine() {
        Optional<Policy> policy = ShippedPolicies.find(ABACUS);
        assertThat(policy.orElseThrow().choices()).extracting(Choice::variant).isEqualTo(List.of("beads 10"));
    }

    @Test
    void serveNoOtherKernels() {
        assertThat(ShippedPolicies.find(new Origin("b2", "Abacus 7", 2, 0, 1, "ToyForCausalLM", "fp8"))).isEmpty();
        assertThat(ShippedPolicies.find(new Origin("b1", "Abacus 8", 2, 0, 1, "ToyForCausalLM", "fp8"))).isEmpty();
    }

    @Test
    void serveWhereTheFolderHasNone(@TempDir Path folder) {
        assertThat(Source.find(Optional.of(new PolicyFolder(folder)), ABACUS)).map(Source::where).contains("shipped with the program");
        assertThat(Source.find(Optional.empty(), ABACUS)).map(Source::policy).isEqualTo(ShippedPolicies.find(ABACUS));
    }

    @Test
    void giveWayToTheFoldersOwn(@TempDir Path folder) {
        PolicyFolder own = new PolicyFolder(folder);
        Policy saved = own.save(ABACUS, List.of());
        assertThat(Source.find(Optional.of(own), ABACUS)).contains(new Source(saved, own.file(ABACUS).toString()));
    }

    @Test
    void doNotHideThatTheFoldersOwnIsRefused(@TempDir Path folder) throws Exception {
        PolicyFolder own = new PolicyFolder(folder);
        Files.writeString(own.file(ABACUS), "notes");
        assertThatThrownBy(() -> Source.find(Optional.of(own), ABACUS)).isInstanceOf(PolicyException.class);
    }

    @Test
    void canAllBeRead() throws Exception {
        try (Stream<Path> files = Files.list(Path.of("policy"))) {
            for (Path file : files.filter(name -> name.toString().endsWith(".json") && !name.endsWith("policy.schema.json")).toList()) {
                assertThat(PolicyFolder.read(file).origin().fileName()).isEqualTo(file.getFileName().toString());
            }
        }
    }
}
