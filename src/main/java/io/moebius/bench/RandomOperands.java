package io.moebius.bench;

import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.Backend;
import io.moebius.backend.Batch;
import io.moebius.backend.DType;
import io.moebius.backend.Matrix;
import io.moebius.backend.Scales;
import io.moebius.backend.Tensor;
import io.moebius.backend.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Random;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/** Weights and activations of random numbers, of which there are copies where no cache may hold what a kernel reads. */
final class RandomOperands {

    private final Backend backend;
    private final Arena arena;
    private final Random random = new Random(3);

    RandomOperands(Backend backend, Arena arena) {
        this.backend = backend;
        this.arena = arena;
    }

    Tensor activations(int rows, int columns) {
        return activations(1, rows, columns).getFirst();
    }

    /** Of a normal distribution, by way of an embedding. */
    List<Tensor> activations(int copies, int rows, int columns) {
        MemorySegment values = arena.allocate((long) rows * columns * Float.BYTES, 64);
        FloatBuffer floats = values.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
        while (floats.hasRemaining()) {
            floats.put((float) random.nextGaussian());
        }
        Matrix table = backend.loadTable(Weight.plain("inputs", DType.F32, rows, columns, values));
        Batch all = rows(rows, row -> row);
        return IntStream.range(0, copies).mapToObj(i -> {
            Tensor x = backend.tensor(rows, columns);
            backend.embed(all, table, x);
            return x;
        }).toList();
    }

    /** A batch that looks rows of a table up. */
    static Batch rows(int rows, IntUnaryOperator looked) {
        return new Batch(IntStream.range(0, rows).map(looked).toArray(), new int[rows], new int[] {0, rows}, new int[][] {{}}, new int[0]);
    }

    Matrix weight(DType type, int rows, int columns) {
        return weights(1, type, rows, columns).getFirst();
    }

    List<Matrix> weights(int copies, DType type, int rows, int columns) {
        Weight weight = random(type, rows, columns);
        // The CPU repacks each copy to memory of its own.
        return IntStream.range(0, copies).mapToObj(i -> backend.load(weight)).toList();
    }

    /** Of bf16, whose rows are looked up. */
    Matrix table(int rows, int columns) {
        return backend.loadTable(random(DType.BF16, rows, columns));
    }

    private Weight random(DType type, int rows, int columns) {
        long bytes = (long) rows * columns * type.bytes();
        byte[] pattern = new byte[1 << 16];
        for (int i = 0; i < pattern.length; i++) {
            // Any code but NaN; of bfloat16 numbers around one, of either sign.
            pattern[i] = (byte) (type == DType.E4M3 ? random.nextInt(127) | random.nextInt(2) << 7
                    : i % 2 == 0 ? random.nextInt(256) : 0x3f | random.nextInt(2) << 7);
        }
        MemorySegment data = arena.allocate(bytes, 64);
        for (long at = 0; at < bytes; at += pattern.length) {
            MemorySegment.copy(MemorySegment.ofArray(pattern), 0, data, at, Math.min(pattern.length, bytes - at));
        }
        return type == DType.E4M3
                ? new Weight("random", type, rows, columns, data, Scales.perTensor(1e-4f, rows, columns), new ActivationQuantization.None())
                : Weight.plain("random", type, rows, columns, data);
    }
}
