// Repacking: 16 rows interleaved, a panel, so that packed_bf16.h and packed_f32.h read columns of 16 rows as vectors.
//
//   e4m3: 64 bytes are 16 rows x 4 columns; for bf16 dot products each quarter holds columns (c, c + 1) of four rows, then
//   columns (c + 2, c + 3).
//   bfloat16: 64 bytes are 16 rows x 2 columns. Columns that fill up the last step are zeros; rows that fill up the last panel are the
//   last row again, and what comes of them is not written.
#pragma once
#include "matrix.h"

namespace moebius {

// Rows of a panel. Static below: each file has the copy of its own instruction set.
constexpr int kPackedRows = 16;

static inline int panels_of(const Matrix &matrix) { return (matrix.rows + kPackedRows - 1) / kPackedRows; }
long panel_bytes(const Matrix &matrix);
// Of the matrix as it lies in its checkpoint.
long data_bytes(const Matrix &matrix);

// The form in which a matrix is multiplied fastest.
Form best_form(const Matrix &matrix, bool brain_inputs);
// Gives the matrix another form than kPlain: its columns, blocks and scales, not its panels.
void lay_out(Matrix &matrix, Form form);

// Panels [first, last), to memory aligned to 16 bytes: into the caches where products read it next, or past them. Codes for shifting,
// which would make a number of what is none (packed_f32.h), leave it to their scale. Allocates nothing: it runs in threads
// whose failure would end the process.
enum class Store { kCached, kStreamed };
template <Store STORE>
void pack_panels(const Matrix &matrix, int first, int last, unsigned char *out);

}  // namespace moebius
