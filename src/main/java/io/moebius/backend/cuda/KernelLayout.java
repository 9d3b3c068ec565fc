package io.moebius.backend.cuda;

/** Where things lie for the kernels, and what fits into one: the numbers of src-native/cuda/layout.h and attention.h. */
final class KernelLayout {

    /** Weight rows of a unit of packed weights. */
    static final int STRIP = 64;
    static final int UNIT_ROW_BYTES = 128;
    static final int UNIT_BYTES = STRIP * UNIT_ROW_BYTES;

    static final int MOST_EXPERTS = 4096;
    static final int MOST_HEAD_DIM = 4096;
    /** Of one product. */
    static final int EXPERTS_AT_ONCE = 256;

    /** Positions of the cache that attention adds up apart, and then joins. */
    static final int SPLIT = 256;
    /** Of a tile of attention: a token has at most so many query heads of a key head there. */
    static final int QUERY_ROWS = 128;

    private KernelLayout() {}
}
