package io.moebius.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.moebius.backend.Activations;
import io.moebius.backend.Backend;
import io.moebius.backend.Batch;
import io.moebius.backend.DType;
import io.moebius.backend.DeviceSampler;
import io.moebius.backend.DrawnTokens;
import io.moebius.backend.Tensor;
import io.moebius.backend.Weight;
import io.moebius.backend.cuda.EmulatedDriver;
import io.moebius.engine.GeneratedToken.TokenLogprob;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The kernel that draws tokens, run in emulation, and the host's sampler: the same logits and seeds give the same tokens. */
class SamplersAgreeTest {

    private static final int ROWS = 64;
    private static final int MOST_TOP = 3;

    @ParameterizedTest
    @CsvSource({"1, 2, 5", "2, 33, 12", "3, 331, 12", "4, 2500, 3"})
    void drawTheSameTokens(int seed, int vocabulary, int draws) {
        Random random = new Random(seed);
        try (Backend backend = EmulatedDriver.backend(Activations.SIXTEEN_BIT); Arena arena = Arena.ofConfined()) {
            DeviceSampler sampler = backend.sampler(ROWS, vocabulary).orElseThrow();
            Sampler host = new Sampler(vocabulary, true);
            for (int i = 0; i < draws; i++) {
                List<RunningSequence> sequences = IntStream.range(0, ROWS).mapToObj(row -> sequence(random, vocabulary, row)).toList();
                float[][] logits = logits(random, vocabulary);
                DrawRows rows = new DrawRows(ROWS, vocabulary);
                for (int row = 0; row < ROWS; row++) {
                    RunningSequence sequence = sequences.get(row);
                    History history = sequence.history();
                    if (sequence.prompt().sampling().hasPenalties()) {
                        sampler.remember(row, history.tokens(), history.prompt(), history.length());
                    }
                    rows.set(row, sequence);
                }
                DrawnTokens drawn = sampler.draw(onDevice(backend, arena, logits), rows.draws()).await();
                for (int row = 0; row < ROWS; row++) {
                    assertSame(host, sequences.get(row), logits[row], drawn, row);
                }
            }
        }
    }

    private static void assertSame(Sampler host, RunningSequence sequence, float[] logits, DrawnTokens drawn, int row) {
        String what = "row %d, %s, %s".formatted(row, sequence.prompt(), sequence.outputTokens());
        GeneratedToken expected;
        try {
            expected = host.sample(logits, sequence.prompt(), sequence.history());
        } catch (NotANumberException e) {
            assertThat(drawn.status()[row]).as(what).isEqualTo(DrawnTokens.NONE_LEFT);
            return;
        }
        boolean finite = IntStream.range(0, logits.length).allMatch(id -> Float.isFinite(logits[id]));
        assertThat(drawn.status()[row]).as(what).isEqualTo(finite ? DrawnTokens.FINITE : DrawnTokens.NOT_FINITE);
        assertThat(drawn.ids()[row]).as(what).isEqualTo(expected.id());
        if (sequence.prompt().topLogprobs() >= 0) {
            assertThat(drawn.logprobs()[row]).as(what).isCloseTo(expected.logprob(), within(1e-4f));
        }
        for (int i = 0; i < expected.top().size(); i++) {
            TokenLogprob top = expected.top().get(i);
            int entry = row * drawn.topLogprobs() + i;
            if (Float.isFinite(top.logprob())) {
                assertThat(drawn.topIds()[entry]).as(what).isEqualTo(top.id());
                assertThat(drawn.topValues()[entry]).as(what).isCloseTo(top.logprob(), within(1e-4f));
            }
        }
    }

    /** With an output and every parameter off or on at random. */
    private static RunningSequence sequence(Random random, int vocabulary, int slot) {
        boolean penalised = random.nextBoolean();
        Map<Integer, Float> bias = new HashMap<>();
        for (int i = random.nextInt(3) == 0 ? random.nextInt(5) : 0; i > 0; i--) {
            bias.put(random.nextInt(vocabulary), 8 * random.nextFloat() - 4);
        }
        Sampling sampling = new Sampling(
                random.nextInt(5) == 0 ? 0 : (float) Math.exp(random.nextGaussian()),
                random.nextInt(2) * (1 + random.nextInt(2 * vocabulary)),
                random.nextBoolean() ? 1 : 1 - 0.999f * random.nextFloat(),
                random.nextBoolean() ? 0 : random.nextFloat() * random.nextFloat(),
                penalised ? 0.5f + random.nextFloat() : 1, penalised ? random.nextFloat() - 0.3f : 0, penalised ? random.nextFloat() - 0.3f : 0,
                bias, random.nextLong());
        int output = random.nextInt(20);
        Set<Integer> stop = random.ints(random.nextInt(3), 0, vocabulary).boxed().collect(Collectors.toSet());
        Prompt prompt = new Prompt(
                random.ints(1 + random.nextInt(20), 0, vocabulary).toArray(), 100, random.nextInt(40), stop, sampling,
                random.nextInt(MOST_TOP + 2) - 1);
        RunningSequence sequence = new RunningSequence(prompt, new Collector());
        sequence.admitted(slot);
        for (int token : random.ints(output, 0, vocabulary).toArray()) {
            sequence.drawn(0);
            sequence.append(token);
        }
        return sequence;
    }

    /** Numbers that bf16 holds: flat, peaked, with many equal ones, and some rows with what is not finite. */
    private static float[][] logits(Random random, int vocabulary) {
        float[][] logits = new float[ROWS][vocabulary];
        for (float[] row : logits) {
            float width = (float) Math.exp(2 * random.nextGaussian());
            for (int id = 0; id < vocabulary; id++) {
                row[id] = bf16(width * (float) random.nextGaussian());
            }
            if (random.nextInt(10) == 0) {
                row[random.nextInt(vocabulary)] = new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}[random.nextInt(3)];
            }
        }
        return logits;
    }

    private static float bf16(float value) {
        return Float.intBitsToFloat(Float.floatToRawIntBits(value) & 0xffff_0000);
    }

    /** By a table that has each row as an embedding. */
    private static Tensor onDevice(Backend backend, Arena arena, float[][] logits) {
        int vocabulary = logits[0].length;
        MemorySegment bytes = arena.allocate(2L * ROWS * vocabulary);
        for (int i = 0; i < ROWS * vocabulary; i++) {
            short half = (short) (Float.floatToRawIntBits(logits[i / vocabulary][i % vocabulary]) >>> 16);
            bytes.setAtIndex(ValueLayout.JAVA_SHORT, i, half);
        }
        int[] tokens = IntStream.range(0, ROWS).toArray();
        int[][] tables = new int[ROWS][1];
        Batch batch = new Batch(tokens, new int[ROWS], IntStream.rangeClosed(0, ROWS).toArray(), tables, tokens);
        Tensor out = backend.tensor(ROWS, vocabulary);
        backend.embed(batch, backend.loadTable(Weight.plain("logits", DType.BF16, ROWS, vocabulary, bytes)), out);
        return out;
    }
}
