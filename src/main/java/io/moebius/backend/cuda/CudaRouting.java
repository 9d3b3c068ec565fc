package io.moebius.backend.cuda;

import io.moebius.backend.Routing;

/**
 * The chosen experts of each token, the rows sorted by expert, and room for what the experts compute of them.
 *
 * @param ids       int [tokens, topK]
 * @param weights   float32 [tokens, topK]
 * @param sources   int [tokens * topK] the token of each sorted row
 * @param positions int [tokens, topK] the sorted row of each choice
 * @param offsets   int [experts + 1] the first sorted row of each expert
 * @param inner     between the experts' products
 * @param outputs   bf16 [tokens * topK, hidden] of the last product
 * @param expecting the buffer that these outputs are still to be added to
 */
record CudaRouting(
        int tokens, int topK, long ids, long weights, long sources, long positions, Scratch offsets, Inner inner, Scratch outputs,
        Expecting expecting) implements Routing {

    /** Made when the width is known. */
    static final class Inner {
        private final DeviceMemory memory;
        private final long rows;
        private ActivationBuffer buffer;
        private int columns;

        Inner(DeviceMemory memory, long rows) {
            this.memory = memory;
            this.rows = rows;
        }

        ActivationBuffer of(int width) {
            if (columns != width) {
                buffer = new ActivationBuffer(memory, rows * width);
                columns = width;
            }
            buffer.clear();
            return buffer;
        }
    }

    static final class Expecting {
        ActivationBuffer residual;
    }

    static CudaRouting of(DeviceMemory memory, int tokens, int topK) {
        long chosen = (long) tokens * topK;
        return new CudaRouting(
                tokens, topK, memory.zeroed(4 * chosen), memory.zeroed(4 * chosen), memory.zeroed(4 * chosen), memory.zeroed(4 * chosen),
                new Scratch(memory), new Inner(memory, chosen), new Scratch(memory), new Expecting());
    }
}
