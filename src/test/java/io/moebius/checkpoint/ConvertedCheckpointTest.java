package io.moebius.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.DType;
import io.moebius.backend.FloatCodes;
import io.moebius.backend.Weight;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Linear layers change while they are loaded; what must stay precise stays. */
class ConvertedCheckpointTest {

    private static final String LAYER = "model.layers.0.self_attn.q_proj";

    @TempDir
    Path folder;

    private TinyCheckpoint bf16(String layer) {
        float[] values = new float[4 * 70];
        Random random = new Random(4);
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian() * (i < 70 ? 1 : 100);
        }
        return new TinyCheckpoint().scales(layer + ".weight", "BF16", new int[] {4, 70}, values);
    }

    private Checkpoint open(TinyCheckpoint tiny, WeightBits bits) {
        tiny.open(folder);
        return Checkpoint.open(folder, bits);
    }

    @Test
    void saysHowManyBytesTheWeightsNeedAtLeast() {
        assertThat(open(bf16(LAYER), WeightBits.EIGHT).leastBytes()).isEqualTo(4 * 70);
        assertThat(Checkpoint.open(folder).leastBytes()).isEqualTo(2 * 4 * 70);
        assertThat(Checkpoint.open(folder, WeightBits.FOUR).leastBytes()).isEqualTo(2 * 4 * 70);
        assertThat(Checkpoint.open(folder, WeightBits.SIXTEEN).leastBytes()).isEqualTo(2 * 4 * 70);
    }

    @Test
    void aHeadThatIsTheEmbeddingNeedsNothingThoughItIsStored() {
        TinyCheckpoint tiny = bf16(LAYER).scales("lm_head.weight", "BF16", new int[] {1, 3}, new float[3]).config("tie_word_embeddings", "true");
        assertThat(tiny.open(folder).leastBytes()).isEqualTo(2 * 4 * 70);
        assertThat(Checkpoint.open(folder, WeightBits.EIGHT).leastBytes()).isEqualTo(4 * 70);
        assertThat(Checkpoint.open(folder).weightBytes()).isEqualTo(2 * (4 * 70 + 3));
        assertThat(tiny.config("tie_word_embeddings", "false").open(folder).leastBytes()).isEqualTo(2 * (4 * 70 + 3));
    }

    @Test
    void float32NeedsSixteenBitsAtLeast() {
        open(new TinyCheckpoint().scales(LAYER + ".weight", "F32", new int[] {2, 3}, new float[6]), WeightBits.SIXTEEN);
        assertThat(Checkpoint.open(folder).weightBytes()).isEqualTo(4 * 6);
        assertThat(Checkpoint.open(folder).leastBytes()).isEqualTo(2 * 6);
    }

    @Test
    void eightBitsArePerRowAndWithinHalfAStep() {
        Checkpoint checkpoint = open(bf16(LAYER), WeightBits.EIGHT);
        Weight weight = checkpoint.linear(LAYER, 4, 70);
        Weight original = Checkpoint.open(folder).linear(LAYER, 4, 70);
        assertThat(weight.dtype()).isEqualTo(DType.E4M3);
        assertThat(weight.activation()).isEqualTo(new ActivationQuantization.PerToken());
        assertThat(weight.scales().values()).hasSize(4);
        for (int row = 0; row < 4; row++) {
            float[] expected = original.row(row);
            float[] actual = weight.row(row);
            for (int c = 0; c < 70; c++) {
                assertThat(actual[c]).isCloseTo(expected[c], within(Math.max(Math.abs(expected[c]) / 16, weight.scales().at(row, 0, 70) / 512)));
            }
        }
    }

    @Test
    void fourBitsArePackedInGroupsWithAShortOneAtTheEnd() {
        Weight weight = open(bf16(LAYER), WeightBits.FOUR).linear(LAYER, 4, 70);
        assertThat(weight.dtype()).isEqualTo(DType.INT4);
        assertThat(weight.bytes()).isEqualTo(4 * 3 * 16).isEqualTo(weight.data().byteSize());
        assertThat(weight.scales().values()).hasSize(4 * 3);
    }

    @Test
    void sixteenBitsUndoFp8() {
        TinyCheckpoint tiny = new TinyCheckpoint()
                .config("quantization_config", "{\"quant_method\": \"fp8\"}")
                .codes(LAYER + ".weight", "F8_E4M3", 2, 60)
                .scales(LAYER + ".weight_scale", "F32", new int[0], 0.5f);
        Weight weight = open(tiny, WeightBits.SIXTEEN).linear(LAYER, 2, 60);
        assertThat(weight.dtype()).isEqualTo(DType.BF16);
        assertThat(weight.row(1)[3]).isEqualTo(FloatCodes.fromE4m3((byte) 63) / 2);
    }

    @Test
    void routersTheHeadAndIgnoredLayersKeepTheirPrecision() {
        for (String layer : new String[] {"lm_head", "model.layers.0.block_sparse_moe.gate"}) {
            Checkpoint checkpoint = open(bf16(layer), WeightBits.FOUR);
            assertThat(checkpoint.linear(TensorNames.canonical(layer), 4, 70).dtype()).isEqualTo(DType.BF16);
        }
        TinyCheckpoint ignoring = bf16(LAYER)
                .config("quantization_config", "{\"quant_method\": \"fp8\", \"ignored_layers\": [\"re:.*self_attn\"]}");
        assertThat(open(ignoring, WeightBits.EIGHT).linear(LAYER, 4, 70).dtype()).isEqualTo(DType.BF16);
    }

    @Test
    void aRowOfZerosStaysOne() {
        for (WeightBits bits : WeightBits.values()) {
            TinyCheckpoint tiny = new TinyCheckpoint().scales(LAYER + ".weight", "F32", new int[] {1, 3}, 0, 0, 0);
            Weight weight = open(tiny, bits).linear(LAYER, 1, 3);
            assertThat(bits == WeightBits.FOUR ? weight.scales().values() : weight.row(0)).containsOnly(0);
        }
    }
}
