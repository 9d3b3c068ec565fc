package io.moebius.backend.cuda;

import io.moebius.backend.Variant;

/** How a call is cut up among the multiprocessors; none changes how a sum is formed. */
sealed interface CudaVariant extends Variant {

    /** @param raster strips of 64 or 128 weight rows that share a pass over the tokens, so that these come from the L2 */
    record Product(KernelTable.Entry kernel, int raster) implements CudaVariant {
        @Override
        public String name() {
            return "%s, raster %d".formatted(kernel.kernel().replaceFirst("^moebius_", ""), raster);
        }
    }

    /** @param splits decodes by one block per 256 positions and a merge, or by tiles of queries as prefills are */
    record TiledAttention(boolean splits) implements CudaVariant {
        @Override
        public String name() {
            return splits ? "decodes by splits" : "decodes by tiles";
        }
    }

    /** Of heads that tiles don't take. */
    record GeneralAttention() implements CudaVariant {
        @Override
        public String name() {
            return "a block per head";
        }
    }
}
