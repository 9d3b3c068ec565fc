package io.moebius.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

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
    void canAllBeRead() throws Exception {
        try (Stream<Path> files = Files.list(Path.of("policy"))) {
            for (Path file : files.filter(name -> name.toString().endsWith(".json") && !name.endsWith("policy.schema.json")).toList()) {
                assertThat(PolicyFolder.read(file).origin().fileName()).isEqualTo(file.getFileName().toString());
            }
        }
    }
}
