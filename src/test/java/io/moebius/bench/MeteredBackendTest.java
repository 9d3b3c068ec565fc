package io.moebius.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.backend.Activations;
import io.moebius.backend.Batch;
import io.moebius.backend.KvCache;
import io.moebius.backend.KvStorage;
import io.moebius.backend.Rope;
import io.moebius.backend.Tensor;
import io.moebius.backend.reference.ReferenceBackend;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What attention reads and computes, by hand: two key heads of four channels, four query heads. */
class MeteredBackendTest {

    private static final int HEADS = 2;
    private static final int DIM = 4;
    private static final int WIDTH = 16;

    private final ReferenceBackend device = new ReferenceBackend(Activations.SIXTEEN_BIT);
    private final MeteredBackend backend = new MeteredBackend(device);

    @AfterEach
    void close() {
        backend.close();
    }

    @ParameterizedTest
    @CsvSource({
        // window, first and last position of the step, tokens read, pairs
        "0, 9, 9, 10, 10",
        "0, 5, 9, 10, 40",
        "4, 9, 9, 4, 4",
        "4, 5, 9, 8, 20",
        "4, 0, 5, 6, 18",
        "100, 5, 9, 10, 40",
    })
    void countsWhatTheWindowLetsAttentionSee(int window, int first, int last, long read, long pairs) {
        KvCache.Shape shape = new KvCache.Shape(3, HEADS, DIM, window, new KvStorage.Native());
        KvCache cache = backend.kvCache(shape, 1);
        int tokens = last + 1 - first;
        Batch batch = new Batch(
                new int[tokens], IntStream.rangeClosed(first, last).toArray(), new int[] {0, tokens}, new int[][] {{0}}, new int[0]);
        fill(cache, last + 1);
        Tensor query = backend.tensor(tokens, WIDTH);
        backend.attend(batch, query, cache, 0, backend.tensor(tokens, WIDTH));
        double tokenBytes = (double) device.kvBlockBytes(shape) / KvCache.BLOCK_TOKENS / shape.layers();
        assertThat(backend.total()).isEqualTo(new Work(read * tokenBytes, pairs * 4.0 * WIDTH));
    }

    private void fill(KvCache cache, int tokens) {
        Batch all = new Batch(
                new int[tokens], IntStream.range(0, tokens).toArray(), new int[] {0, tokens}, new int[][] {{0}}, new int[0]);
        Tensor keys = device.tensor(tokens, HEADS * DIM);
        device.ropeAndStore(all, Rope.of(DIM, 1e4), device.tensor(tokens, WIDTH), keys, keys, cache, 0);
    }
}
