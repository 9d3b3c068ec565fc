/* What the stand-in driver writes into the 128 bytes of a tensor map, of two dimensions and bytes: a GPU's own layout is not documented. */
#pragma once
#include <cstdint>

namespace emu {

constexpr std::uint64_t kTensorMapMark = 0x70616d726f736e74;

struct TensorMap {
    std::uint64_t mark, address, columns, rows, pitch; /* pitch: bytes from row to row */
    std::uint32_t box_columns, box_rows;
};

}  // namespace emu
