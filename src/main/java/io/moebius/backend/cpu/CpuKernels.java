package io.moebius.backend.cpu;

import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.annotation.Cast;
import org.bytedeco.javacpp.annotation.Const;
import org.bytedeco.javacpp.annotation.Platform;

/** The functions of src-native/include/moebius_cpu.h; addresses are longs. */
@Platform(include = "moebius_cpu.h", link = "moebius_cpu")
final class CpuKernels {

    static {
        Loader.load(CpuKernels.class);
    }

    private CpuKernels() {}

    static native int moebius_supports(int instructionSet);

    static native @Cast("const char*") String moebius_build();

    static native @Cast("jlong") long moebius_create(int instructionSet, int threads);

    static native void moebius_destroy(@Cast("void*") long engine);

    static native double moebius_read_bandwidth(@Cast("void*") long engine);

    static native double moebius_peak_flops(@Cast("void*") long engine);

    static native @Cast("jlong") long moebius_allocate(@Cast("int64_t") long bytes);

    static native void moebius_free(@Cast("void*") long memory, @Cast("int64_t") long bytes);

    static native @Cast("jlong") long moebius_matrix(
            @Cast("void*") long engine, @Cast("const void*") long data, int type, int rows, int columns, @Const float[] scales, int scaleCount,
            int blockRows, int blockColumns, int activation, float activationScale, int group, int mapped);

    static native void moebius_finish_packing(@Cast("void*") long engine);

    static native @Cast("int64_t") long moebius_unpacked_bytes(@Cast("void*") long engine);

    static native int moebius_matrix_packed(@Cast("const void*") long matrix);

    static native void moebius_matrix_free(@Cast("void*") long matrix);

    static native void moebius_embed(
            @Cast("void*") long engine, @Cast("const void*") long table, @Const int[] tokens, int count,
            @Cast("float*") long out);

    static native void moebius_rms_norm(
            @Cast("void*") long engine, @Cast("const float*") long x, @Cast("const void*") long weight, double epsilon,
            int rows, @Cast("float*") long out);

    static native void moebius_project(
            @Cast("void*") long engine, @Cast("const float*") long x, @Cast("const void*") long matrix,
            @Cast("const unsigned char*") @Const byte[] prompt, int rows,
            @Cast("float*") long out, int add, int threads, int panel, int direct, int interleave);

    static native void moebius_add_bias(
            @Cast("void*") long engine, @Cast("float*") long x, @Cast("const void*") long bias, int rows);

    static native void moebius_swiglu(
            @Cast("void*") long engine, @Cast("float*") long gate, @Cast("const float*") long up, int rows, int columns);

    static native void moebius_rope_store(
            @Cast("void*") long engine, @Cast("float*") long query, @Cast("float*") long key,
            @Cast("const float*") long value, @Const int[] positions, @Const int[] slots, int count, int heads,
            int kvHeads, int headDim, @Const double[] frequencies, double factor, @Cast("void*") long keys,
            @Cast("void*") long values, int type, float keyScale, float valueScale);

    static native void moebius_attend(
            @Cast("void*") long engine, @Cast("const float*") long query, @Cast("const void*") long keys,
            @Cast("const void*") long values, int type, float keyScale, float valueScale, int window,
            @Const int[] positions, @Const int[] tables, @Const int[] tableOffsets,
            int count, int heads, int kvHeads, int headDim, @Cast("float*") long out, int threads, int run,
            int tasks);

    static native void moebius_route(
            @Cast("void*") long engine, @Cast("const float*") long x, @Cast("const void*") long router, int rows,
            int topK, @Cast("int*") long ids, @Cast("float*") long weights);

    static native void moebius_experts(
            @Cast("void*") long engine, @Cast("const float*") long x, @Cast("const int*") long ids,
            @Cast("const float*") long weights, int rows, int topK, @Cast("const int64_t*") @Const long[] matrices,
            @Cast("const unsigned char*") @Const byte[] prompt, int experts, @Cast("float*") long residual, int threads, int panel, int direct, int interleave,
            int fused);

    static native void moebius_gather(
            @Cast("const float*") long x, @Const int[] rows, int count, int columns, @Cast("float*") long out);

    static native void moebius_read(@Cast("const float*") long from, int count, float[] to);
}
