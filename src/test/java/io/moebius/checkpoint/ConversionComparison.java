package io.moebius.checkpoint;

import io.moebius.backend.DType;
import io.moebius.backend.FloatCodes;
import io.moebius.backend.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.ShortBuffer;
import java.util.Locale;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/**
 * What conversion costs by itself, by the clock: one small weight again and again, so that its memory is there,
 * ./mvnw test -Dtest=ConversionComparison -Dsurefire.useFile=false.
 */
class ConversionComparison {

    private static final int ROWS = 512;
    private static final int COLUMNS = 4096;
    private static final long NANOSECONDS = 4_000_000_000L;

    @Test
    void printsTheRateOfEachFormat() {
        Weight weight = bFloat16();
        print("8bit of bf16", weight, WeightConverter::toE4m3);
        print("4bit of bf16", weight, WeightConverter::toInt4);
        Weight fp8 = WeightConverter.toE4m3(weight);
        print("4bit of fp8", fp8, WeightConverter::toInt4);
        print("16bit of fp8", fp8, WeightConverter::toBFloat16);
    }

    private static void print(String name, Weight weight, UnaryOperator<Weight> conversion) {
        double best = 0;
        int calls = 0;
        long begin = System.nanoTime();
        while (System.nanoTime() - begin < NANOSECONDS) {
            long start = System.nanoTime();
            conversion.apply(weight);
            best = Math.max(best, weight.bytes() / (double) (System.nanoTime() - start));
            calls++;
        }
        System.out.printf(Locale.ROOT, "%s: %.2f GB/s, best %.2f%n", name, calls * weight.bytes() / (double) (System.nanoTime() - begin), best);
    }

    private static Weight bFloat16() {
        MemorySegment data = Arena.ofAuto().allocate(2L * ROWS * COLUMNS, 64);
        ShortBuffer values = data.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN).asShortBuffer();
        Random random = new Random(1);
        while (values.hasRemaining()) {
            values.put(FloatCodes.bFloat16((float) random.nextGaussian()));
        }
        return Weight.plain("w", DType.BF16, ROWS, COLUMNS, data);
    }
}
