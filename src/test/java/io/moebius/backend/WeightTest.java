package io.moebius.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moebius.backend.reference.ReferenceBackend;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class WeightTest {

    private static final ActivationQuantization NONE = new ActivationQuantization.None();

    private final RandomWeights random = new RandomWeights(6);

    @ParameterizedTest
    @EnumSource
    void rowsAreTheReferences(DType type) {
        Weight weight = random.plain(type, 3, 50);
        float[] row = new float[50];
        try (Backend reference = new ReferenceBackend(Activations.SIXTEEN_BIT)) {
            Tensor out = reference.tensor(1, 50);
            Batch last = new Batch(new int[] {2}, new int[1], new int[] {0, 1}, new int[][] {{}}, new int[0]);
            reference.embed(last, reference.loadTable(weight), out);
            reference.read(out, 0, row);
        }
        assertThat(weight.row(2)).containsExactly(row);
    }

    @Test
    void refusesDataOnTheHeapAndTooFewBytes() {
        Weight onHeap = Weight.plain("x", DType.F32, 1, 2, MemorySegment.ofArray(new byte[8]));
        assertThatThrownBy(onHeap::check).isInstanceOf(IllegalArgumentException.class).hasMessage("weight x lies on the Java heap, map it");
        Weight tooShort = Weight.plain("x", DType.F32, 1, 2, Arena.ofAuto().allocate(7));
        assertThatThrownBy(tooShort::check).isInstanceOf(IllegalArgumentException.class).hasMessage("weight x has 7 bytes, needs 8");
    }

    @ParameterizedTest
    @EnumSource(names = {"E4M3", "INT4"})
    void refusesScalesThatDoNotCoverIt(DType type) {
        MemorySegment data = Arena.ofAuto().allocate(32 * 32);
        Weight covered = new Weight("x", type, 32, 32, data, new Scales(new float[4], 16, 16), NONE);
        covered.check();
        Weight uncovered = new Weight("x", type, 32, 32, data, new Scales(new float[3], 16, 16), NONE);
        assertThatThrownBy(uncovered::check).isInstanceOf(IllegalArgumentException.class).hasMessage("weight x has 3 scales, needs 4");
        assertThatThrownBy(covered.withoutScales()::check).hasMessage("weight x is quantised without usable scales");
        Weight noBlocks = new Weight("x", type, 32, 32, data, new Scales(new float[4], 0, 16), NONE);
        assertThatThrownBy(noBlocks::check).hasMessage("weight x is quantised without usable scales");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"3 | 50 | e4m3, a scale per tensor", "1 | 50 | e4m3, a scale per row", "16 | 32 | e4m3, a scale per 16 x 32"})
    void saysWhichElementsShareAScale(int blockRows, int blockColumns, String format) {
        Scales scales = new Scales(random.floats(6), blockRows, blockColumns);
        assertThat(random.weight(DType.E4M3, 3, 50, scales, NONE).format()).isEqualTo(format);
        assertThat(random.plain(DType.BF16, 3, 50).format()).isEqualTo("bf16");
    }
}
