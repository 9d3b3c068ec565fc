// The kernels of one instruction set, compiled with MOEBIUS_TABLE as the name of their table. Nothing here may call inline
// functions of the C++ library: the linker could keep the AVX-512 copy of one for everybody.
#include "kernels.h"

#include "attention.h"
#include "gemm.h"
#include "int4.h"
#include "probe.h"
#include "vector.h"

#if defined(__AVX512BF16__) && defined(__AVX512VBMI__)
#include "packed_bf16.h"
#else
#include "packed_f32.h"
#endif

namespace moebius {
namespace {

void multiply(const Product &product, int from, int to, int direct, float *scratch) {
    switch (product.matrix->type) {
        case MOEBIUS_F32: return multiply<Float32>(product, from, to, direct, scratch);
        case MOEBIUS_F16: return multiply<Float16>(product, from, to, direct, scratch);
        case MOEBIUS_BF16: return multiply<BFloat16>(product, from, to, direct, scratch);
        case MOEBIUS_INT4: return multiply_int4(product, from, to, scratch);
        default: return multiply<Float8>(product, from, to, direct, scratch);
    }
}

void decode_row(const Matrix &matrix, int row, float *out) {
    switch (matrix.type) {
        case MOEBIUS_F32: return decode_row<Float32>(matrix, row, out);
        case MOEBIUS_F16: return decode_row<Float16>(matrix, row, out);
        case MOEBIUS_BF16: return decode_row<BFloat16>(matrix, row, out);
        case MOEBIUS_INT4: return decode_int4_row(matrix, row, out);
        default: return decode_row<Float8>(matrix, row, out);
    }
}

void add_scaled(float *y, float factor, const float *x, int count) {
    const Vector factors = broadcast(factor);
    int i = 0;
    for (; i + kLanes <= count; i += kLanes) store(y + i, multiply_add(factors, load(x + i), load(y + i)));
    if (i < count) {
        const Vector rest = multiply_add(factors, load_part<Float32>(x + i, count - i), load_part<Float32>(y + i, count - i));
        store_part(y + i, rest, count - i);
    }
}

}  // namespace

extern const Kernels MOEBIUS_TABLE = {multiply, multiply_packed, input_row, code_row, kBrainInputs, decode_row, add_scaled, attend, swiglu, sum_of, multiply_adds};

}  // namespace moebius
