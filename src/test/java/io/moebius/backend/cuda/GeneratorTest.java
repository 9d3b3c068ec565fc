package io.moebius.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** The random numbers of the kernels' harness (src-native/cuda/test/generator.h), bit for bit, with the vectors that its tests hold, too. */
class GeneratorTest {

    @Test
    void givesTheNumbersOfTheHarness() {
        long[] bits = {0xbdd732262feb6e95L, 0x28efe333b266f103L, 0x47526757130f9f52L};
        float[] units = {0x1.eeb99p-2f, -0x1.5c4074p-1f, -0x1.c56cc8p-2f};
        int[] codes = {37, 202, 77};
        for (int i = 0; i < 3; i++) {
            assertThat(bits(42, i)).isEqualTo(bits[i]);
            assertThat(unit(42, i)).isEqualTo(units[i]);
            assertThat(code(42, i)).isEqualTo(codes[i]);
        }
        assertThat(bits(1L << 63, 5_000_000_000L)).isEqualTo(0x320c6a2f96210f35L);
    }

    /** SplitMix64 (Steele et al. 2014) by counter. */
    private static long bits(long seed, long i) {
        long z = seed + (i + 1) * 0x9e3779b97f4a7c15L;
        z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
        z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
        return z ^ z >>> 31;
    }

    /** In [-1, 1), a multiple of 2^-23. */
    private static float unit(long seed, long i) {
        return ((bits(seed, i) >>> 40) - (1 << 23)) * 0x1p-23f;
    }

    /** An e4m3 code, never NaN, of magnitude below 32. */
    private static int code(long seed, long i) {
        int b = (int) (bits(seed, i) >>> 40);
        return b & 0x80 | (b & 0x7f) * 96 / 128;
    }
}
