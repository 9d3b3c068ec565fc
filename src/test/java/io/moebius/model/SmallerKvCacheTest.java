package io.moebius.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.backend.Activations;
import io.moebius.backend.Backend;
import io.moebius.backend.KvCache;
import io.moebius.backend.KvStorage;
import io.moebius.backend.cpu.CpuBackend;
import io.moebius.backend.reference.ReferenceBackend;
import io.moebius.checkpoint.Checkpoint;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The demo model keeps its answers when keys and values are stored in fewer bits. */
class SmallerKvCacheTest {

    private static final Path DEMO = Path.of("src/main/resources/demo-model");

    static Stream<KvStorage> storages() {
        return Stream.of(new KvStorage.BFloat16(), new KvStorage.Fp8(ones(), ones()));
    }

    private static List<Float> ones() {
        return Collections.nCopies(Checkpoint.open(DEMO).config().layers(), 1f);
    }

    @ParameterizedTest
    @MethodSource("storages")
    void answersLikeTheUnroundedCacheInNearlyAllTokens(KvStorage storage) {
        try (Backend backend = new CpuBackend(Activations.SIXTEEN_BIT)) {
            Decoder decoder = Transformer.load(Checkpoint.open(DEMO), backend, 512, 512, fraction -> {});
            KvCache.Shape shape = decoder.kvShape().stored(storage);
            GreedyDecoding rounded = new GreedyDecoding(decoder, shape, 512);
            List<Golden> goldens = Golden.read(Path.of("src/test/resources/demo-model"), "w8a16");
            long same = goldens.stream()
                    .filter(golden -> Arrays.equals(rounded.continuation(golden.prompt(), golden.greedy().length), golden.greedy()))
                    .count();
            assertThat(same).as("%s: of %d answers", storage, goldens.size()).isGreaterThanOrEqualTo(38);
        }
    }

    @ParameterizedTest
    @MethodSource("storages")
    void theReferenceRoundsAsTheKernelsDo(KvStorage storage) {
        try (Backend cpu = new CpuBackend(Activations.SIXTEEN_BIT); Backend reference = new ReferenceBackend(Activations.SIXTEEN_BIT)) {
            int[] prompt = Golden.read(Path.of("src/test/resources/demo-model"), "w8a16").getFirst().prompt();
            assertThat(continuation(cpu, storage, prompt)).containsExactly(continuation(reference, storage, prompt));
        }
    }

    private static int[] continuation(Backend backend, KvStorage storage, int[] prompt) {
        Decoder decoder = Transformer.load(Checkpoint.open(DEMO), backend, 64, 64, fraction -> {});
        return new GreedyDecoding(decoder, decoder.kvShape().stored(storage), 64).continuation(prompt, 4);
    }
}
