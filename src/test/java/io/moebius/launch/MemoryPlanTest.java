package io.moebius.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class MemoryPlanTest {

    @Test
    void takesWhatAllSequencesCouldNeed() {
        assertThat(MemoryPlan.of(1L << 40, 1000, 4, 100).blocks()).isEqualTo(4 * 7);
    }

    @Test
    void takesNoMoreThanItMay() {
        assertThat(MemoryPlan.of(10_000, 1000, 4, 100).blocks()).isEqualTo(10);
    }

    @Test
    void refusesWhereOneSequenceDoesNotFit() {
        assertThatThrownBy(() -> MemoryPlan.of(5_000, 1000, 4, 100))
                .isInstanceOfSatisfying(StartException.class, e -> assertThat(e.code()).isEqualTo(ExitCode.OUT_OF_MEMORY))
                .hasMessageContaining("--max-sequence-length 80");
    }
}
