package io.moebius.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.backend.Activations;
import io.moebius.backend.Backend;
import io.moebius.backend.cpu.CpuBackend;
import io.moebius.checkpoint.Checkpoint;
import io.moebius.checkpoint.WeightBits;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What conversion while loading costs the demo model, over its golden questions and answers. */
class QuantizationQualityTest {

    private static final Path DEMO = Path.of("src/main/resources/demo-model");
    private static final List<Golden> GOLDENS = Golden.read(Path.of("src/test/resources/demo-model"), "w8a16");
    private static final Path STORIES = Path.of("src/test/resources/fixtures/stories260k-fp8-static");

    /**
     * @param answers    answers that stay the same to the last token
     * @param top1       share of positions whose likeliest token stays the same
     * @param divergence mean Kullback-Leibler divergence, in nats
     */
    private record Quality(int answers, double top1, double divergence) {}

    @Test
    void sixteenAndEightBitsChangeNoAnswer() {
        assertThat(quality(DEMO, GOLDENS, WeightBits.SIXTEEN).answers()).isEqualTo(GOLDENS.size());
        assertThat(quality(DEMO, GOLDENS, WeightBits.EIGHT).answers()).isEqualTo(GOLDENS.size());
    }

    @Test
    void fourBitsKeepTheAnswersOfTheDemoModel() {
        Quality quality = quality(DEMO, GOLDENS, WeightBits.FOUR);
        assertThat(quality.answers()).isGreaterThanOrEqualTo(39);
        assertThat(quality.divergence()).isLessThan(1e-3);
    }

    /** A hard case: 64 channels, and text that could go on in many ways. */
    @Test
    void fourBitsCostATinyStoryTellerLittle() {
        Quality quality = quality(STORIES, Golden.read(STORIES, "w8a16"), WeightBits.FOUR);
        assertThat(quality.top1()).isGreaterThan(0.85);
        assertThat(quality.divergence()).isLessThan(0.1);
    }

    private static Quality quality(Path folder, List<Golden> goldens, WeightBits bits) {
        try (Backend exact = new CpuBackend(Activations.SIXTEEN_BIT); Backend rounded = new CpuBackend(Activations.SIXTEEN_BIT)) {
            GreedyDecoding expected = decoding(Checkpoint.open(folder), exact);
            GreedyDecoding actual = decoding(Checkpoint.open(folder, bits), rounded);
            int answers = 0;
            int positions = 0;
            int same = 0;
            double divergence = 0;
            for (Golden golden : goldens) {
                int[] text = IntStream.concat(IntStream.of(golden.prompt()), IntStream.of(golden.greedy())).toArray();
                float[][] a = expected.prompt(text);
                float[][] b = actual.prompt(text);
                boolean unchanged = true;
                for (int p = golden.prompt().length - 1; p < text.length - 1; p++) {
                    boolean top = likeliest(a[p]) == likeliest(b[p]);
                    unchanged &= top;
                    same += top ? 1 : 0;
                    divergence += divergence(logSoftmax(a[p]), logSoftmax(b[p]));
                    positions++;
                }
                answers += unchanged ? 1 : 0;
            }
            return new Quality(answers, same / (double) positions, divergence / positions);
        }
    }

    private static GreedyDecoding decoding(Checkpoint checkpoint, Backend backend) {
        return new GreedyDecoding(Transformer.load(checkpoint, backend, 512, 512, fraction -> {}), 512);
    }

    private static int likeliest(float[] logits) {
        return IntStream.range(0, logits.length).reduce((i, j) -> logits[j] > logits[i] ? j : i).orElseThrow();
    }

    private static double[] logSoftmax(float[] logits) {
        double largest = IntStream.range(0, logits.length).mapToDouble(i -> logits[i]).max().orElseThrow();
        double sum = IntStream.range(0, logits.length).mapToDouble(i -> Math.exp(logits[i] - largest)).sum();
        return IntStream.range(0, logits.length).mapToDouble(i -> logits[i] - largest - Math.log(sum)).toArray();
    }

    private static double divergence(double[] p, double[] q) {
        return IntStream.range(0, p.length).mapToDouble(i -> Math.exp(p[i]) * (p[i] - q[i])).sum();
    }
}
