package io.moebius.backend.cuda;

import io.moebius.backend.Operands;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.Pointer;

/**
 * The variants of the kernels, as src-native/cuda/variants.cpp has them.
 *
 * @param hopper     whether it runs on compute capability 9.0 alone
 * @param tileTokens tokens per tile of a product; of attention: the cache's type; of a copy: bytes of a row
 * @param tileRows   weight rows per tile of a product; of attention: the padded head dim; of a copy: rows
 * @param swiGlu     whether a product of gate and up
 * @param spread     whether the parts of K run side by side
 */
record KernelTable(List<Entry> entries) {

    /** As moebius_cuda.h numbers them. */
    enum Family {
        FP8_GEMM, W8A16_GEMM, BF16_GEMM, PACK, ROUTE, PERMUTE, NORM, QUANTIZE, ROPE, EMBED, ATTEND_DECODE, ATTEND_MERGE, ATTEND_PREFILL,
        SAMPLE, ANGLES, READ_YARDSTICK, E4M3_YARDSTICK, BF16_YARDSTICK, ATTEND_GENERAL, FETCH
    }

    record Entry(
            CudaKernels.Variant variant, Family family, String kernel, boolean hopper, int tileRows, int tileTokens, boolean swiGlu,
            boolean spread, int threads, int sharedBytes) {

        private static Entry of(CudaKernels.Variant v) {
            return new Entry(
                    v, Family.values()[v.family()], v.kernel(), v.gpus() == CudaKernels.HOPPER_ONLY, v.tile_rows(), v.tile_tokens(), v.mats() == 2,
                    v.spread() == 1, v.threads(), v.shared_bytes());
        }

        int[] grid(Pointer structure, int multiprocessors) {
            int[] grid = new int[3];
            CudaKernels.moebius_grid(variant, structure, multiprocessors, grid);
            return grid;
        }

        /** Of a yardstick's products: of one block in one round. */
        double flopsOfRound() {
            return 2.0 * tileRows * tileTokens * variant.stages() * variant.mats();
        }

        /** What the bits depend on besides the structure; of a yardstick: the instruction. */
        String recipe() {
            return variant.recipe();
        }
    }

    static KernelTable read() {
        int[] count = new int[1];
        CudaKernels.Variant first = CudaKernels.moebius_variants(count);
        return new KernelTable(IntStream.range(0, count[0]).mapToObj(first::getPointer).map(Entry::of).toList());
    }

    List<Entry> of(Family family) {
        return entries.stream().filter(entry -> entry.family() == family).toList();
    }

    /** Of a family that has one alone. */
    Entry only(Family family) {
        return of(family).getFirst();
    }

    /** Hopper's own kernel where it has one, for prompts and decodes alike: other instructions would give other bits. */
    Entry attention(Family family, int paddedDim, int cacheType, boolean hopper) {
        return of(family).stream()
                .filter(entry -> entry.tileRows() == paddedDim && entry.tileTokens() == cacheType && (hopper || !entry.hopper()))
                .max(Comparator.comparing(Entry::hopper))
                .orElseThrow();
    }

    /** The smallest head dim of attention's tiles that holds a head; the head's own where none does. */
    int paddedDim(int headDim) {
        Operands.require(
                headDim <= KernelLayout.MOST_HEAD_DIM,
                "heads of %d channels; the kernels take at most %d".formatted(headDim, KernelLayout.MOST_HEAD_DIM));
        return paddedDims().filter(padded -> padded >= headDim).min().orElse(headDim);
    }

    /** Whether attention's tiles hold a head, and a token's query heads of one key head; the general kernel takes what they don't. */
    boolean attendsByTiles(int headDim, int queryHeads) {
        return queryHeads <= KernelLayout.QUERY_ROWS && paddedDims().anyMatch(padded -> padded >= headDim);
    }

    private IntStream paddedDims() {
        return of(Family.ATTEND_DECODE).stream().mapToInt(Entry::tileRows);
    }
}
