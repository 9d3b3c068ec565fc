package io.moebius.backend.cuda;

import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.annotation.Cast;
import org.bytedeco.javacpp.annotation.Const;
import org.bytedeco.javacpp.annotation.MemberGetter;
import org.bytedeco.javacpp.annotation.MemberSetter;
import org.bytedeco.javacpp.annotation.Name;
import org.bytedeco.javacpp.annotation.Platform;

/**
 * The structures and functions of src-native/include/moebius_cuda.h, with its names; addresses are longs. The C++ compiler holds them
 * against the header. Needs no driver.
 */
@Platform(include = "moebius_cuda.h", link = "moebius_cuda_host")
final class CudaKernels {

    static {
        Loader.load(CudaKernels.class);
    }

    static final int F32 = 0;
    static final int BF16 = 1;
    static final int E4M3 = 2;
    static final int F16 = 3;
    static final int INT4 = 4;

    static final int STORE_F32 = 0;
    static final int STORE_BF16 = 1;
    static final int ADD_F32 = 2;
    static final int SWIGLU_BF16 = 3;
    static final int SWIGLU_E4M3 = 4;

    static final int HOPPER_ONLY = 90;

    private CudaKernels() {}

    static native @Const Variant moebius_variants(int[] count);

    static native @Cast("const char*") String moebius_gemm_refusal(@Const Variant variant, @Const Gemm gemm, int computeCapability);

    static native int moebius_gemm_tiles(@Const Variant variant, @Const Gemm gemm);

    static native void moebius_grid(@Const Variant variant, @Cast("const void*") Pointer structure, int multiprocessors, int[] grid);

    @Name("moebius_variant")
    static final class Variant extends Pointer {
        Variant(Pointer p) {
            super(p);
        }

        @Override
        public Variant getPointer(long i) {
            return new Variant(this).position(position + i);
        }

        @Override
        public Variant position(long position) {
            return super.position(position);
        }

        @MemberGetter native int family();
        @MemberGetter native int number();
        @MemberGetter native @Cast("const char*") String kernel();
        @MemberGetter native int gpus();
        @MemberGetter native int tile_rows();
        @MemberGetter native int tile_tokens();
        @MemberGetter native int stages();
        @MemberGetter native int mats();
        @MemberGetter native int spread();
        @MemberGetter native int threads();
        @MemberGetter native int shared_bytes();
        @MemberGetter native @Cast("const char*") String recipe();
    }

    @Name("moebius_gemm")
    static final class Gemm extends Pointer {
        Gemm() {
            super((Pointer) null);
            allocate();
        }

        private native void allocate();

        @MemberSetter native void weights(@Cast("const uint8_t*") long address);
        @MemberSetter native void up(@Cast("const uint8_t*") long address);
        @MemberSetter native void x(@Cast("const void*") long address);
        @MemberSetter native void out(@Cast("void*") long address);
        @MemberSetter native void offsets(@Cast("const int*") long address);
        @MemberSetter native void sources(@Cast("const int*") long address);
        @MemberSetter native void partials(@Cast("float*") long address);
        @MemberSetter native void tickets(@Cast("int*") long address);
        @MemberSetter @Name("weight_scales.values") native void weight_scales(@Cast("const float*") long address);
        @MemberSetter @Name("weight_scales.block_rows") native void weight_block_rows(int rows);
        @MemberSetter @Name("weight_scales.block_columns") native void weight_block_columns(int columns);
        @MemberSetter @Name("up_scales.values") native void up_scales(@Cast("const float*") long address);
        @MemberSetter @Name("up_scales.block_rows") native void up_block_rows(int rows);
        @MemberSetter @Name("up_scales.block_columns") native void up_block_columns(int columns);
        @MemberSetter @Name("x_scales.values") native void x_scales(@Cast("const float*") long address);
        @MemberSetter @Name("x_scales.block_rows") native void x_block_rows(int rows);
        @MemberSetter @Name("x_scales.block_columns") native void x_block_columns(int columns);
        @MemberSetter native void x_pitch_bytes(@Cast("int64_t") long bytes);
        @MemberSetter native void out_pitch(@Cast("int64_t") long elements);
        @MemberSetter native void scales_per_expert(int count);
        @MemberSetter native void rows(int count);
        @MemberSetter native void n(int rows);
        @MemberSetter native void k(int columns);
        @MemberSetter native void experts(int count);
        @MemberSetter native void k_splits(int parts);
        @MemberSetter native void epilogue(int epilogue);
        @MemberSetter native void out_scale(float scale);
        @MemberSetter native void raster(int strips);
    }

    @Name("moebius_pack")
    static final class Pack extends Pointer {
        Pack() {
            super((Pointer) null);
            allocate();
        }

        private native void allocate();

        @MemberSetter native void from(@Cast("const void*") long address);
        @MemberSetter native void to(@Cast("uint8_t*") long address);
        @MemberSetter @Name("scales.values") native void scales(@Cast("const float*") long address);
        @MemberSetter @Name("scales.block_rows") native void block_rows(int rows);
        @MemberSetter @Name("scales.block_columns") native void block_columns(int columns);
        @MemberSetter native void from_pitch(@Cast("int64_t") long elements);
        @MemberSetter native void n(int rows);
        @MemberSetter native void k(int columns);
        @MemberSetter native void from_type(int type);
        @MemberSetter native void to_type(int type);
    }

    @Name("moebius_route")
    static final class Route extends Pointer {
        Route() {
            super((Pointer) null);
            allocate();
        }

        private native void allocate();

        @MemberSetter native void x(@Cast("const uint16_t*") long address);
        @MemberSetter native void router(@Cast("const void*") long address);
        @MemberSetter native void ids(@Cast("int*") long address);
        @MemberSetter native void weights(@Cast("float*") long address);
        @MemberSetter native void ticket(@Cast("int*") long address);
        @MemberSetter native void offsets(@Cast("int*") long address);
        @MemberSetter native void sources(@Cast("int*") long address);
        @MemberSetter native void positions(@Cast("int*") long address);
        @MemberSetter native void x_pitch(@Cast("int64_t") long elements);
        @MemberSetter native void x_scale(float scale);
        @MemberSetter native void tokens(int count);
        @MemberSetter native void hidden(int columns);
        @MemberSetter native void experts(int count);
        @MemberSetter native void top_k(int count);
        @MemberSetter native void router_type(int type);
    }

    @Name("moebius_permute")
    static final class Permute extends Pointer {
        Permute() {
            super((Pointer) null);
            allocate();
        }

        private native void allocate();

        @MemberSetter native void ids(@Cast("const int*") long address);
        @MemberSetter native void offsets(@Cast("int*") long address);
        @MemberSetter native void sources(@Cast("int*") long address);
        @MemberSetter native void positions(@Cast("int*") long address);
        @MemberSetter native void tokens(int count);
        @MemberSetter native void experts(int count);
        @MemberSetter native void top_k(int count);
    }

    @Name("moebius_norm")
    static final class Norm extends Pointer {
        Norm() {
            super((Pointer) null);
            allocate();
        }

        private native void allocate();

        @MemberSetter native void residual(@Cast("float*") long address);
        @MemberSetter native void delta(@Cast("const float*") long address);
        @MemberSetter native void expert_out(@Cast("const uint16_t*") long address);
        @MemberSetter native void positions(@Cast("const int*") long address);
        @MemberSetter native void expert_weights(@Cast("const float*") long address);
        @MemberSetter native void weight(@Cast("const float*") long address);
        @MemberSetter native void out16(@Cast("uint16_t*") long address);
        @MemberSetter native void out8(@Cast("uint8_t*") long address);
        @MemberSetter native void out_scales(@Cast("float*") long address);
        @MemberSetter native void out16_pitch(@Cast("int64_t") long elements);
        @MemberSetter native void out8_pitch(@Cast("int64_t") long elements);
        @MemberSetter native void tokens(int count);
        @MemberSetter native void columns(int count);
        @MemberSetter native void top_k(int count);
        @MemberSetter native void group(int columns);
        @MemberSetter native void bound(float largest);
        @MemberSetter native void epsilon(double epsilon);
    }

    @Name("moebius_quantize")
    static final class Quantize extends Pointer {
        Quantize() {
            super((Pointer) null);
            allocate();
        }

        private native void allocate();

        @MemberSetter native void x(@Cast("const uint16_t*") long address);
        @MemberSetter native void out8(@Cast("uint8_t*") long address);
        @MemberSetter native void out_scales(@Cast("float*") long address);
        @MemberSetter native void x_pitch(@Cast("int64_t") long elements);
        @MemberSetter native void out8_pitch(@Cast("int64_t") long elements);
        @MemberSetter native void bound(float largest);
        @MemberSetter native void rows(int count);
        @MemberSetter native void columns(int count);
        @MemberSetter native void group(int columns);
    }

    @Name("moebius_angles")
    static final class Angles extends Pointer {

        /** MOEBIUS_ANGLE_PAIRS. */
        static final int MOST_PAIRS = 128;

        Angles() {
            super((Pointer) null);
            allocate();
        }

        private native void allocate();

        @MemberSetter native void positions(@Cast("const int*") long address);
        @MemberSetter native void turns(@Cast("float*") long address);
        @MemberSetter native void factor(double factor);
        @MemberSetter native void frequencies(int fromFirst, double radiansPerPosition);
        @MemberSetter native void first(int pair);
        @MemberSetter native void tokens(int count);
        @MemberSetter native void pairs(int count);
    }

    @Name("moebius_rope")
    static final class Rope extends Pointer {
        Rope() {
            super((Pointer) null);
            allocate();
        }

        private native void allocate();

        @MemberSetter native void qkv(@Cast("const uint16_t*") long address);
        @MemberSetter native void bias(@Cast("const float*") long address);
        @MemberSetter native void query_norm(@Cast("const float*") long address);
        @MemberSetter native void key_norm(@Cast("const float*") long address);
        @MemberSetter native void turns(@Cast("const float*") long address);
        @MemberSetter native void query(@Cast("uint16_t*") long address);
        @MemberSetter native void keys(@Cast("void*") long address);
        @MemberSetter native void values(@Cast("void*") long address);
        @MemberSetter native void positions(@Cast("const int*") long address);
        @MemberSetter native void sequences(@Cast("const int*") long address);
        @MemberSetter native void tables(@Cast("const int*") long address);
        @MemberSetter native void table_offsets(@Cast("const int*") long address);
        @MemberSetter native void qkv_pitch(@Cast("int64_t") long elements);
        @MemberSetter native void epsilon(float epsilon);
        @MemberSetter native void key_scale(float scale);
        @MemberSetter native void value_scale(float scale);
        @MemberSetter native void tokens(int count);
        @MemberSetter native void heads(int count);
        @MemberSetter native void kv_heads(int count);
        @MemberSetter native void head_dim(int channels);
        @MemberSetter native void padded_dim(int channels);
        @MemberSetter native void cache_type(int type);
    }

    @Name("moebius_embed")
    static final class Embed extends Pointer {
        Embed() {
            super((Pointer) null);
            allocate();
        }

        private native void allocate();

        @MemberSetter native void table(@Cast("const uint16_t*") long address);
        @MemberSetter native void tokens(@Cast("const int*") long address);
        @MemberSetter native void drawn(@Cast("const int*") long address);
        @MemberSetter native void out(@Cast("float*") long address);
        @MemberSetter native void count(int tokens);
        @MemberSetter native void columns(int count);
    }

    @Name("moebius_attend")
    static final class Attend extends Pointer {
        Attend() {
            super((Pointer) null);
            allocate();
        }

        private native void allocate();

        @MemberSetter native void query(@Cast("const uint16_t*") long address);
        @MemberSetter native void keys(@Cast("const void*") long address);
        @MemberSetter native void values(@Cast("const void*") long address);
        @MemberSetter native void out(@Cast("void*") long address);
        @MemberSetter native void partials(@Cast("float*") long address);
        @MemberSetter native void positions(@Cast("const int*") long address);
        @MemberSetter native void sequences(@Cast("const int*") long address);
        @MemberSetter native void tables(@Cast("const int*") long address);
        @MemberSetter native void table_offsets(@Cast("const int*") long address);
        @MemberSetter native void offsets(@Cast("const int*") long address);
        @MemberSetter native void out_pitch(@Cast("int64_t") long elements);
        @MemberSetter native void key_scale(float scale);
        @MemberSetter native void value_scale(float scale);
        @MemberSetter native void out_scale(float scale);
        @MemberSetter native void tokens(int count);
        @MemberSetter native void heads(int count);
        @MemberSetter native void kv_heads(int count);
        @MemberSetter native void head_dim(int channels);
        @MemberSetter native void padded_dim(int channels);
        @MemberSetter native void cache_type(int type);
        @MemberSetter native void out_type(int type);
        @MemberSetter native void window(int positions);
        @MemberSetter native void max_splits(int count);
        @MemberSetter native void query_tiles(int count);
    }

    @Name("moebius_sample")
    static final class Sample extends Pointer {
        Sample() {
            super((Pointer) null);
            allocate();
        }

        private native void allocate();

        @MemberSetter native void logits(@Cast("const float*") long address);
        @MemberSetter native void adjusted(@Cast("float*") long address);
        @MemberSetter native void temperature(@Cast("const float*") long address);
        @MemberSetter native void top_p(@Cast("const float*") long address);
        @MemberSetter native void min_p(@Cast("const float*") long address);
        @MemberSetter native void repetition(@Cast("const float*") long address);
        @MemberSetter native void presence(@Cast("const float*") long address);
        @MemberSetter native void frequency(@Cast("const float*") long address);
        @MemberSetter native void top_k(@Cast("const int*") long address);
        @MemberSetter native void seeds(@Cast("const uint64_t*") long address);
        @MemberSetter native void indices(@Cast("const int*") long address);
        @MemberSetter native void allowed(@Cast("const uint32_t*") long address);
        @MemberSetter native void bias_offsets(@Cast("const int*") long address);
        @MemberSetter native void bias_ids(@Cast("const int*") long address);
        @MemberSetter native void bias_values(@Cast("const float*") long address);
        @MemberSetter native void counts(@Cast("uint16_t* const*") long address);
        @MemberSetter native void tokens(@Cast("int*") long address);
        @MemberSetter native void logprobs(@Cast("float*") long address);
        @MemberSetter native void top_ids(@Cast("int*") long address);
        @MemberSetter native void top_values(@Cast("float*") long address);
        @MemberSetter native void status(@Cast("int*") long address);
        @MemberSetter native void pitch(@Cast("int64_t") long elements);
        @MemberSetter native void rows(int count);
        @MemberSetter native void vocabulary(int count);
        @MemberSetter native void top_logprobs(int count);
    }

    @Name("moebius_yardstick")
    static final class Yardstick extends Pointer {
        Yardstick() {
            super((Pointer) null);
            allocate();
        }

        private native void allocate();

        @MemberSetter native void from(@Cast("const void*") long address);
        @MemberSetter native void to(@Cast("void*") long address);
        @MemberSetter native void count(@Cast("int64_t") long count);
    }

    /** Begins with the tensor map. */
    @Name("moebius_fetch")
    static final class Fetch extends Pointer {
        Fetch() {
            super((Pointer) null);
            allocate();
        }

        private native void allocate();

        @MemberSetter native void to(@Cast("uint8_t*") long address);
        @MemberSetter native void column(int column);
        @MemberSetter native void row(int row);
        @MemberSetter native void bytes(int bytes);
    }
}
