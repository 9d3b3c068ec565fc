package io.moebius.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.moebius.backend.Rope;
import io.moebius.checkpoint.RotaryPositions;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Frequencies of published models, computed apart from this program by the definitions in transformers' words. */
class RotaryFrequenciesTest {

    private static final int[] OF_128 = {0, 12, 23, 26, 28, 31, 35, 38, 40, 63};
    private static final int[] OF_64 = {0, 8, 13, 14, 15, 16, 17, 18, 31};

    private static Rope of(int headDim, double theta, RotaryPositions.Scaling scaling) {
        return RotaryFrequencies.of(headDim, new RotaryPositions(theta, scaling));
    }

    private static void agree(Rope rope, int[] pairs, double... expected) {
        IntStream.range(0, pairs.length).forEach(i -> assertThat(rope.frequencies()[pairs[i]])
                .as("pair %d", pairs[i])
                .isCloseTo(expected[i], within(1e-12 * expected[i])));
    }

    @Test
    void llama31() {
        Rope rope = of(128, 5e5, new RotaryPositions.Llama3(8, 1, 4, 8192));
        assertThat(rope.headDim()).isEqualTo(128);
        assertThat(rope.factor()).isEqualTo(1);
        agree(rope, OF_128, 1, 0.08539710028576561, 0.0089522593361944, 0.004839421345719893, 0.003211445994752591,
                0.0008567514129196321, 9.556212353964683e-05, 5.165906874818956e-05, 3.428102195952591e-05, 3.068925988914511e-07);
    }

    @Test
    void llama32() {
        agree(of(64, 5e5, new RotaryPositions.Llama3(32, 1, 4, 8192)), OF_64, 1, 0.03760603093086393, 0.004839421345719893,
                0.003211445994752591, 0.001290547928209264, 0.00042955679655936815, 9.70828780262767e-05, 1.9461638184831125e-05,
                9.41830672543491e-08);
    }

    @Test
    void qwenWithYarn() {
        Rope rope = of(128, 1e6, new RotaryPositions.Yarn(4, 32, 1, 32768, true, 1.138629436111989));
        assertThat(rope.factor()).isEqualTo(1.138629436111989);
        agree(rope, OF_128, 1, 0.07498942093324558, 0.006978305848598663, 0.003168422574711092, 0.0018482765647068783,
                0.0008029597275452302, 0.0002462584069089387, 9.262301704129457e-05, 4.445698525097307e-05, 3.102344401879299e-07);
    }

    @Test
    void yarnBetweenPairs() {
        agree(of(128, 1e6, new RotaryPositions.Yarn(4, 32, 1, 32768, false, 1)), OF_128, 1, 0.07498942093324558, 0.006978305848598663,
                0.0032416347362497185, 0.0018835024401661154, 0.0008117253745814111, 0.00024451888795641683, 8.957925287117512e-05,
                4.445698525097307e-05, 3.102344401879299e-07);
    }

    @Test
    void linear() {
        agree(of(128, 1e4, new RotaryPositions.Linear(4)), OF_128, 0.25, 0.04445698525097307, 0.009129353181370942, 0.0059284342641541385,
                0.004445698525097307, 0.0028869549617236453, 0.0016234540789405282, 0.0010542412585714557, 0.0007905694150420948,
                2.8869549617236455e-05);
    }
}
