// The kernels of avx512_bf16 for any machine: their products over emulated instructions, the rest as the baseline has it.
#include "kernels.h"

#include "avx512.h"
#include "packed_bf16.h"

namespace moebius {

extern const Kernels kernels_emulated;
const Kernels kernels_emulated = [] {
    Kernels kernels = kernels_baseline;
    kernels.multiply_packed = multiply_packed;
    kernels.input_row = input_row;
    kernels.code_row = code_row;
    kernels.brain_inputs = kBrainInputs;
    return kernels;
}();

}  // namespace moebius
