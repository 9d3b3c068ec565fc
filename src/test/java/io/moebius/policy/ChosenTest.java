package io.moebius.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moebius.backend.KernelCall;
import io.moebius.backend.Site;
import io.moebius.backend.Variant;
import java.util.List;
import org.junit.jupiter.api.Test;

class ChosenTest {

    private final ToyMachine machine = new ToyMachine(0).kernel("project", 3, 2, 1).kernel("attend", 2, 1);
    private final Origin origin = Origin.of(machine, "toy", "fp8");

    private Chosen chosen(Choice... choices) {
        return new Chosen(machine, new Policy(origin, List.of(choices)));
    }

    private static Choice choice(int tokens, String variant) {
        return new Choice(ToyMachine.site("project"), tokens, variant, 1, 2, "", 0, 0);
    }

    private static String used(Chosen chosen, String kernel, int tokens) {
        return used(chosen, kernel, tokens, 0);
    }

    private static String used(Chosen chosen, String kernel, int tokens, int context) {
        StringBuilder name = new StringBuilder();
        chosen.run(new KernelCall() {
            @Override
            public Site site() {
                return ToyMachine.site(kernel);
            }

            @Override
            public int tokens() {
                return tokens;
            }

            @Override
            public int context() {
                return context;
            }

            @Override
            public double bytes() {
                return 0;
            }

            @Override
            public double flops() {
                return 0;
            }

            @Override
            public void run(Variant variant) {
                name.append(variant.name());
            }
        });
        return name.toString();
    }

    @Test
    void usesTheNearestTokenCount() {
        Chosen chosen = chosen(choice(4, "v1"), choice(8, "v2"), choice(12, "v1"));
        assertThat(List.of(3, 4, 5, 6, 8, 9, 10, 12, 16)).extracting(tokens -> used(chosen, "project", tokens))
                .containsExactly("v1", "v1", "v1", "v2", "v2", "v2", "v1", "v1", "v1");
    }

    @Test
    void usesTheDefaultWhereSequencesLookFurtherBackThanWasMeasured() {
        Chosen chosen = chosen(choice(4, "v1"), choice(2048, "v1"));
        assertThat(List.of(1, 512, 1024, 1025)).extracting(context -> used(chosen, "project", 4, context)).containsExactly("v1", "v1", "v1", "v0");
        assertThat(List.of(2048, 2049)).extracting(context -> used(chosen, "project", 2048, context)).containsExactly("v1", "v0");
    }

    @Test
    void usesTheDefaultWhereNoChoiceIsNear() {
        Chosen chosen = chosen(choice(4, "v1"), choice(16, "v2"));
        assertThat(List.of(1, 2, 3, 5, 6, 11, 12, 22, 23, 500)).extracting(tokens -> used(chosen, "project", tokens))
                .containsExactly("v0", "v0", "v1", "v1", "v0", "v0", "v2", "v2", "v0", "v0");
    }

    @Test
    void usesTheDefaultOfASiteWithoutAChoice() {
        assertThat(used(chosen(choice(4, "v1")), "attend", 4)).isEqualTo("v0");
    }

    @Test
    void aKeptDefaultIsThatOfTheTokensOfTheCall() {
        ToyMachine machine = new ToyMachine(0).kernel("project", 2, 1).defaultFrom("project", 8, "v1");
        Chosen chosen = new Chosen(machine, new Policy(origin, List.of(choice(4, "v0"), choice(16, "v0"))));
        assertThat(List.of(1, 4, 7, 8)).extracting(tokens -> used(chosen, "project", tokens)).containsExactly("v0", "v0", "v0", "v1");
        assertThat(used(chosen, "project", 16)).as("chosen where the default is another").isEqualTo("v0");
    }

    @Test
    void refusesAVariantThatTheBackendDoesNotHave() {
        assertThatThrownBy(() -> chosen(choice(1, "v9"))).isInstanceOf(PolicyException.class).hasMessageContaining("v9");
    }
}
