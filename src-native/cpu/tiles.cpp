// Products of a prompt's rows by the matrix unit.
//
//   out[t, n] = sum over scale blocks b of scale[n, b] * sum over k in b of w[n, k] * (hi[t, k] + lo[t, k])
//
// A packed panel, decoded to pairs of bfloat16, is a column of tiles as the unit wants its second operand: 64 bytes hold one pair
// of columns of 16 rows. So panels are decoded once per call to a scratch that stays in the second cache, and two row blocks times
// two panels are summed at once: four tiles of sums, two of inputs, two of weights. Bound by tdpbf16ps, 8,192 multiply-adds in 16
// cycles, half of them useful with two terms; two row blocks, two panels and two terms read six tiles for eight products.
// Never run on such a processor: test/tiles_test.cpp runs this source over emulated instructions.
//
// An element is summed tile by tile, high part before low, whatever stands in the other rows: its bits are its row's alone. They
// differ from those of packed_bf16.h, whose order of sums is another.
//
// Nothing here may call inline functions of the C++ library: the linker could keep the AVX-512 copy of one for everybody.
#include "tiles.h"

#include "pairs.h"
#include "tile.h"

namespace moebius {

namespace {

constexpr int kSums = kTileRows * kPackedRows;

constexpr TileShapes kShapes = {1, 0, {}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};

// Columns beyond `columns` are zeros.
void input_row(const float *x, long columns, int terms, long row, uint32_t *inputs) {
    const long tiles = tiles_across(columns);
    constexpr long kTileWords = kTileBytes / 4;
    uint32_t *out = inputs + row / kTileRows * tiles * terms * kTileWords + row % kTileRows * (kTileColumns / 2);
    for (long tile = 0; tile < tiles; tile++, out += terms * kTileWords) {
        const long left = columns - tile * kTileColumns;
        float values[kTileColumns] = {};
        __builtin_memcpy(values, x + tile * kTileColumns, (left < kTileColumns ? left : kTileColumns) * sizeof(float));
        uint32_t high[kTileColumns], low[kTileColumns];
        // The nearest that a bfloat16 can hold, ties to even, and what is left over.
        auto brain = [](float value) {
            uint32_t bits;
            __builtin_memcpy(&bits, &value, sizeof bits);
            return (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
        };
        for (int c = 0; c < kTileColumns; c++) {
            high[c] = brain(values[c]);
            float rounded;
            __builtin_memcpy(&rounded, &high[c], sizeof rounded);
            low[c] = brain(values[c] - rounded);
        }
        for (int pair = 0; pair < kTileColumns / 2; pair++) {
            out[pair] = high[2 * pair] >> 16 | high[2 * pair + 1];
            if (terms == 2) out[kTileWords + pair] = low[2 * pair] >> 16 | low[2 * pair + 1];
        }
    }
}

template <class Read>
void decode_panel(const unsigned char *codes, long packed_columns, unsigned char *pairs) {
    const Read read;
    const long steps = packed_columns / 4, bytes = tiles_across(packed_columns) * kTileBytes;
    for (long step = 0; step < steps; step++) {
        __m512i first, second;
        read(codes + step * Read::kStepBytes, first, second);
        _mm512_storeu_si512(pairs + step * Pairs::kStepBytes, first);
        _mm512_storeu_si512(pairs + step * Pairs::kStepBytes + 64, second);
    }
    __builtin_memset(pairs + steps * Pairs::kStepBytes, 0, bytes - steps * Pairs::kStepBytes);
}

// sums [BLOCKS][PANELS][16 rows][16 columns] over `tiles` tiles; strides in bytes from one row block or panel to the next.
template <int BLOCKS, int PANELS>
void add_tiles(const unsigned char *inputs, long block_stride, int terms, const unsigned char *weights, long panel_stride, long tiles, float *sums) {
    tile_zero<0>();
    if constexpr (PANELS == 2) tile_zero<1>();
    if constexpr (BLOCKS == 2) tile_zero<2>();
    if constexpr (BLOCKS == 2 && PANELS == 2) tile_zero<3>();
    for (long tile = 0; tile < tiles; tile++, weights += kTileBytes) {
        tile_load<6>(weights, 64);
        if constexpr (PANELS == 2) tile_load<7>(weights + panel_stride, 64);
        for (int term = 0; term < terms; term++, inputs += kTileBytes) {
            tile_load<4>(inputs, 64);
            if constexpr (BLOCKS == 2) tile_load<5>(inputs + block_stride, 64);
            tile_dot<0, 4, 6>();
            if constexpr (PANELS == 2) tile_dot<1, 4, 7>();
            if constexpr (BLOCKS == 2) tile_dot<2, 5, 6>();
            if constexpr (BLOCKS == 2 && PANELS == 2) tile_dot<3, 5, 7>();
        }
    }
    tile_store<0>(sums, 64);
    if constexpr (PANELS == 2) tile_store<1>(sums + kSums, 64);
    if constexpr (BLOCKS == 2) tile_store<2>(sums + PANELS * kSums, 64);
    if constexpr (BLOCKS == 2 && PANELS == 2) tile_store<3>(sums + 3 * kSums, 64);
}

// Row blocks from `first` on times panels from `panel` on.
template <int BLOCKS, int PANELS>
void multiply_blocks(const Product &product, long first, int panel, const unsigned char *weights) {
    const Matrix &matrix = *product.matrix;
    const int terms = product.factors == nullptr ? 2 : 1, scale_blocks = matrix.packed_blocks;
    const long across = tiles_across(matrix.packed_columns), panel_stride = across * kTileBytes, block_stride = panel_stride * terms;
    const long block_tiles = scale_blocks == 1 ? across : matrix.block_columns / kTileColumns;
    const unsigned char *inputs = reinterpret_cast<const unsigned char *>(product.words) + first * block_stride;
    alignas(64) float sums[BLOCKS][PANELS][kTileRows][kPackedRows];
    alignas(64) float totals[BLOCKS][PANELS][kTileRows][kPackedRows] = {};
    for (int b = 0; b < scale_blocks; b++) {
        const long begin = b * block_tiles, end = begin + block_tiles < across ? begin + block_tiles : across;
        add_tiles<BLOCKS, PANELS>(inputs + begin * terms * kTileBytes, block_stride, terms, weights + begin * kTileBytes, panel_stride, end - begin, &sums[0][0][0][0]);
        for (int i = 0; i < BLOCKS; i++)
            for (int r = 0; r < PANELS; r++) {
                const float *scales = matrix.packed_scales + ((panel + r) * static_cast<long>(scale_blocks) + b) * kPackedRows;
                for (int m = 0; m < kTileRows; m++) {
                    const long t = (first + i) * kTileRows + m;
                    if (t >= product.rows) break;
                    const float factor = terms == 2 ? 1 : product.factors[t * scale_blocks + b];
                    for (int n = 0; n < kPackedRows; n++)
                        totals[i][r][m][n] = __builtin_fmaf(sums[i][r][m][n], scales[n] * factor, totals[i][r][m][n]);
                }
            }
    }
    for (int i = 0; i < BLOCKS; i++)
        for (int m = 0; m < kTileRows; m++) {
            const long t = (first + i) * kTileRows + m;
            if (t >= product.rows) break;
            for (int r = 0; r < PANELS; r++) {
                const int row = (panel + r) * kPackedRows, count = matrix.rows - row < kPackedRows ? matrix.rows - row : kPackedRows;
                float *out = product.out + t * matrix.rows + row;
                for (int n = 0; n < count; n++) out[n] = product.add ? out[n] + totals[i][r][m][n] : totals[i][r][m][n];
            }
        }
}

template <int BLOCKS>
void multiply_rows(const Product &product, long first, int panel, int panels, const unsigned char *weights) {
    const long stride = tiles_across(product.matrix->packed_columns) * kTileBytes;
    int r = 0;
    for (; r + 2 <= panels; r += 2) multiply_blocks<BLOCKS, 2>(product, first, panel + r, weights + r * stride);
    if (r < panels) multiply_blocks<BLOCKS, 1>(product, first, panel + r, weights + r * stride);
}

void multiply(const Product &product, const unsigned char *weights, int from, int to, unsigned char *scratch) {
    const Matrix &matrix = *product.matrix;
    const int panel = from / kPackedRows, panels = (to - from + kPackedRows - 1) / kPackedRows;
    const bool codes = matrix.type == MOEBIUS_E4M3;
    const long bytes = matrix.packed_columns / 4 * (codes ? Codes::kStepBytes : Pairs::kStepBytes);
    const long stride = tiles_across(matrix.packed_columns) * kTileBytes;
    for (int r = 0; r < panels; r++)
        (codes ? decode_panel<Codes> : decode_panel<Pairs>)(weights + r * bytes, matrix.packed_columns, scratch + r * stride);
    const long blocks = (product.rows + kTileRows - 1) / kTileRows;
    tile_configure(kShapes);
    long first = 0;
    for (; first + 2 <= blocks; first += 2) multiply_rows<2>(product, first, panel, panels, scratch);
    if (first < blocks) multiply_rows<1>(product, first, panel, panels, scratch);
    tile_release();
}

double multiply_adds(long rounds) {
    constexpr int kRegisters = 4;
    alignas(64) unsigned char halves[kTileBytes];
    for (long i = 0; i < kTileBytes; i += 2) halves[i] = 0, halves[i + 1] = 0x3f;
    tile_configure(kShapes);
    tile_zero<0>(), tile_zero<1>(), tile_zero<2>(), tile_zero<3>();
    tile_load<4>(halves, 64), tile_load<5>(halves, 64), tile_load<6>(halves, 64), tile_load<7>(halves, 64);
    for (long i = 0; i < rounds; i += kRegisters) tile_dot<0, 4, 6>(), tile_dot<1, 4, 7>(), tile_dot<2, 5, 6>(), tile_dot<3, 5, 7>();
    tile_release();
    return static_cast<double>((rounds + kRegisters - 1) / kRegisters * kRegisters) * kTileRows * kPackedRows * kTileColumns * 2;
}

}  // namespace

extern const TileKernels kTileKernels = {input_row, multiply, multiply_adds};

}  // namespace moebius
