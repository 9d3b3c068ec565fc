// Products of a prompt's rows by the matrix unit (Intel AMX), for processors that have one.
//
// Inputs of a product lie as the unit reads them: [rows / 16][tiles][terms][16 rows][32 columns] of bfloat16, a tile being 1,024
// bytes, the last row block and the last tile filled up. terms is 2 where x is the sum of a high and a low part, 1 for codes.
#pragma once
#include "kernels.h"
#include "moebius_cpu.h"

namespace moebius {

constexpr int kTileRows = 16;
constexpr int kTileColumns = 32;
constexpr long kTileBytes = 1024;

// Tiles side by side that cover so many columns. Static: each file has the copy of its own instruction set.
static inline long tiles_across(long columns) { return (columns + kTileColumns - 1) / kTileColumns; }

// Whether a matrix can be multiplied so: its blocks of scales must be whole tiles.
static inline bool fits_tiles(const Matrix &matrix) {
    return matrix.form != Form::kPlain && (matrix.packed_blocks == 1 || matrix.block_columns % kTileColumns == 0);
}

struct TileKernels {
    // Row `row` of a product's inputs.
    void (*input_row)(const float *x, long columns, int terms, long row, uint32_t *inputs);
    // As Kernels::multiply_packed, of inputs as above; scratch holds panels of kTileBytes * tiles_across(columns), aligned to 64 bytes.
    void (*multiply)(const Product &product, const unsigned char *panels, int from, int to, unsigned char *scratch);
    // Multiplies and adds in registers; returns the flops done.
    double (*multiply_adds)(long rounds);
};

extern const TileKernels kTileKernels;

// Whether this processor has the unit, and this process the kernel's permission to use it, which is asked for once.
bool tiles_usable();

}  // namespace moebius
