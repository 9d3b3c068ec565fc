package io.moebius.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class MemoryPlanTest {

    private static final Flag LENGTH = ModelFlags.MAX_SEQUENCE_LENGTH;

    @Test
    void takesWhatAllSequencesCouldNeed() {
        assertThat(MemoryPlan.of(1L << 40, 1000, 4, 100, LENGTH).blocks()).isEqualTo(4 * 7);
    }

    @Test
    void leavesRoomForWeightsThatAreStillToCome() {
        assertThat(MemoryPlan.room(10_000, 4_000)).isEqualTo(3_000);
        assertThatThrownBy(() -> MemoryPlan.room(3L << 20, 4L << 20))
                .isInstanceOf(StartException.class)
                .hasMessage("the weights need 4 MiB more, 3 MiB are free; give more memory");
    }

    @Test
    void takesNoMoreThanItMay() {
        assertThat(MemoryPlan.of(10_000, 1000, 4, 100, LENGTH).blocks()).isEqualTo(10);
    }

    @Test
    void refusesWhereOneSequenceDoesNotFit() {
        assertThatThrownBy(() -> MemoryPlan.of(5_000, 1000, 4, 100, LENGTH))
                .isInstanceOfSatisfying(StartException.class, e -> assertThat(e.code()).isEqualTo(ExitCode.OUT_OF_MEMORY))
                .hasMessageEndingWith("give --max-sequence-length of 80 tokens at most, or more memory");
    }

    @Test
    void asksForMemoryAloneWhereNoBlockFits() {
        assertThatThrownBy(() -> MemoryPlan.of(999, 1000, 4, 100, LENGTH))
                .hasMessage("the KV cache of one sequence of 100 tokens needs 1 MiB, 0 MiB are free for it; give more memory");
    }
}
