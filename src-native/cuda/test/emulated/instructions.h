/* The functions of the headers in ptx, acted out. */
#pragma once

inline std::uint32_t shared_address(const void *p) {
    return std::uint32_t(static_cast<const std::uint8_t *>(p) - emu::block().shared);
}
/* What a thread of the first block does before its wait, all have done before the kernel before this one goes on. */
inline void pdl_wait() {
    emu::Block &b = emu::block();
    if (!b.predecessor) return;
    emu::wait(b.waiting, b.threads);
    if (!b.predecessor) return;
    b.predecessor();
    b.predecessor = nullptr;
}
inline void pdl_launch_dependents() {}

/* cp.async */
inline void copy_async_16(std::uint32_t to, const void *from, bool valid) {
    if (valid) std::memcpy(emu::at(to), from, 16); else std::memset(emu::at(to), 0, 16);
}
inline void copy_async_commit() {}
template <int N> void copy_async_wait() {}

/* mbarrier: pending arrivals in bits 0-15, all arrivals in 16-31, bytes awaited in 32-62 (signed, biased), phase in 63. */
namespace emu {
struct Mbarrier { std::uint16_t pending, count; std::int32_t bytes_and_phase; };
inline Mbarrier &mbarrier(std::uint32_t a) { return *reinterpret_cast<Mbarrier *>(at(a)); }
inline int phase(const Mbarrier &m) { return m.bytes_and_phase & 1; }
inline void settle(Mbarrier &m) {
    if (m.pending == 0 && m.bytes_and_phase >> 1 == 0) {
        m.pending = m.count;
        m.bytes_and_phase ^= 1;
        block().progress++;
    }
}
}  // namespace emu
inline void mbarrier_init(std::uint32_t a, int count) { emu::mbarrier(a) = {std::uint16_t(count), std::uint16_t(count), 0}; }
inline void mbarrier_init_fence() {}
inline void mbarrier_arrive(std::uint32_t a) {
    auto &m = emu::mbarrier(a);
    if (m.pending == 0) { std::fprintf(stderr, "emulator: one arrival too many\n"); std::abort(); }
    m.pending--;
    emu::settle(m);
}
inline void mbarrier_arrive_expect(std::uint32_t a, std::uint32_t bytes) {
    emu::mbarrier(a).bytes_and_phase += int(bytes) * 2;
    mbarrier_arrive(a);
}
inline void mbarrier_wait(std::uint32_t a, int parity) { while (emu::phase(emu::mbarrier(a)) == parity) emu::yield(); }
inline void proxy_fence() {}

inline std::uint64_t evict_first_policy() { return 0; }
inline void copy_bulk(std::uint32_t to, const void *from, std::uint32_t bytes, std::uint32_t barrier, std::uint64_t) {
    if (to % 16 || reinterpret_cast<std::uintptr_t>(from) % 16 || bytes % 16) {
        std::fprintf(stderr, "emulator: misaligned bulk copy\n");
        std::abort();
    }
    std::memcpy(emu::at(to), from, bytes);
    auto &m = emu::mbarrier(barrier);
    m.bytes_and_phase -= int(bytes) * 2;
    emu::settle(m);
}
inline void prefetch_bulk(const void *, std::uint32_t) {}
inline void copy_tensor(std::uint32_t to, const void *map, int column, int row, std::uint32_t barrier) {
    const auto &m = *static_cast<const emu::TensorMap *>(map);
    if (m.mark != emu::kTensorMapMark || to % 128) { std::fprintf(stderr, "emulator: no tensor map, or a misaligned place\n"); std::abort(); }
    for (int r = 0; r < int(m.box_rows); r++)
        for (int c = 0; c < int(m.box_columns); c++) {
            std::int64_t y = row + r, x = column + c;
            bool inside = x >= 0 && y >= 0 && x < std::int64_t(m.columns) && y < std::int64_t(m.rows);
            *emu::at(to + r * m.box_columns + c) = inside ? reinterpret_cast<const std::uint8_t *>(m.address)[y * m.pitch + x] : 0;
        }
    auto &b = emu::mbarrier(barrier);
    b.bytes_and_phase -= int(m.box_rows * m.box_columns) * 2;
    emu::settle(b);
}

template <int R> void registers_give() {}
template <int R> void registers_take() {}
inline void named_barrier(int id, int threads) { emu::wait(emu::block().barriers[id], threads); }
inline void named_arrive(int id, int threads) { emu::arrive(emu::block().barriers[id], threads); }

/* ldmatrix: lane l gives the address of row l % 8 of matrix l / 8; receives bytes 4 (l % 4).. of row l / 4 of each matrix. */
inline void load_matrix_x4(unsigned (&r)[4], std::uint32_t address) {
    std::uint64_t word = address;
    emu::meet(&word, 1);
    for (int i = 0; i < 4; i++)
        std::memcpy(&r[i], emu::at(emu::warp().slot[i * 8 + emu::lane() / 4][0]) + 4 * (emu::lane() % 4), 4);
    emu::leave();
}
inline void load_matrix_x4_transposed(unsigned (&r)[4], std::uint32_t address) {
    std::uint64_t word = address;
    emu::meet(&word, 1);
    for (int i = 0; i < 4; i++) {
        std::uint16_t half[2];
        for (int j = 0; j < 2; j++)
            std::memcpy(&half[j], emu::at(emu::warp().slot[i * 8 + 2 * (emu::lane() % 4) + j][0]) + 2 * (emu::lane() / 4), 2);
        r[i] = half[0] | unsigned(half[1]) << 16;
    }
    emu::leave();
}

namespace emu {
/* A row of 32 bytes of an operand, from the registers of the quad of lanes that hold it. */
template <class Decode> void mma(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2], int width, Decode decode) {
    std::uint64_t words[6] = {a[0], a[1], a[2], a[3], b[0], b[1]};
    meet(words, 6);
    auto element = [&](int lane_group, int half_reg, int first, int k) {
        int per = 4 / width;
        int high = k / (4 * per);
        int quad = k / per % 4;
        std::uint32_t word = std::uint32_t(warp().slot[lane_group * 4 + quad][first + high * half_reg]);
        return decode(word >> (8 * width * (k % per)));
    };
    for (int i = 0; i < 4; i++) {
        int row = lane() / 4, column = 2 * (lane() % 4) + i % 2;
        float sum = 0;
        for (int k = 0; k < 32 / width; k++) sum += element(row, 2, i / 2, k) * element(column, 1, 4, k);
        c[i] += sum;
    }
    leave();
}
}  // namespace emu
inline void mma_e4m3(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    emu::mma(c, a, b, 1, [](std::uint32_t w) { return emu::e4m3(std::uint8_t(w)); });
}
inline void mma_bf16(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    emu::mma(c, a, b, 2, [](std::uint32_t w) { return emu::bf16(std::uint16_t(w)); });
}

/* wgmma: operands in rows of 128 bytes with 128-byte swizzle; K-major ones may start 32, 64 or 96 bytes into a row. */
inline void wgmma_fence() {}
inline void wgmma_commit() {}
template <int N> void wgmma_wait() {}
template <int R> void wgmma_results(float (&)[R]) {}
inline std::uint64_t swizzled_descriptor(std::uint32_t address) { return std::uint64_t(1) << 62 | std::uint64_t(64) << 32 | address >> 4; }
inline std::uint64_t transposed_descriptor(std::uint32_t address, int slab) { return swizzled_descriptor(address) | std::uint64_t(slab / 16) << 16; }
namespace emu {
/* Where byte `byte` of row `row` of an operand lies. */
inline const std::uint8_t *operand(std::uint64_t descriptor, int row, int byte) {
    if (descriptor >> 62 != 1) { std::fprintf(stderr, "emulator: swizzle is not 128 bytes\n"); std::abort(); }
    std::uint32_t start = std::uint32_t(descriptor & 0x3fff) << 4;
    std::uint32_t stride = std::uint32_t(descriptor >> 32 & 0x3fff) << 4, slab = std::uint32_t(descriptor >> 16 & 0x3fff) << 4;
    std::uint32_t address = start + row / 8 * stride + row % 8 * 128 + byte / 128 * slab + byte % 128;
    return at(address ^ (address >> 3 & 0x70));
}
}  // namespace emu
template <int N> void wgmma_e4m3(float (&d)[N / 2], std::uint64_t a, std::uint64_t b, int accumulate) {
    int warp_row = emu::thread() / 32 % 4 * 16 + emu::lane() / 4;
    for (int i = 0; i < N / 2; i++) {
        int row = warp_row + i / 2 % 2 * 8, column = i / 4 * 8 + 2 * (emu::lane() % 4) + i % 2;
        float sum = 0;
        for (int k = 0; k < 32; k++) sum += emu::e4m3(*emu::operand(a, row, k)) * emu::e4m3(*emu::operand(b, column, k));
        d[i] = (accumulate ? d[i] : 0) + sum;
    }
}
template <bool Transposed, int R> void wgmma_bf16(float (&d)[R], const unsigned (&a)[4], std::uint64_t b, int accumulate) {
    std::uint64_t words[4] = {a[0], a[1], a[2], a[3]};
    emu::meet(words, 4);
    float rows[2][16]; /* of A: lane / 4 and lane / 4 + 8 */
    for (int k = 0; k < 16; k++)
        for (int h = 0; h < 2; h++)
            rows[h][k] = emu::bf16(std::uint16_t(emu::warp().slot[emu::lane() / 4 * 4 + k / 2 % 4][k / 8 * 2 + h] >> 16 * (k % 2)));
    emu::leave();
    for (int i = 0; i < R; i++) {
        int column = i / 4 * 8 + 2 * (emu::lane() % 4) + i % 2;
        float sum = 0;
        for (int k = 0; k < 16; k++) {
            std::uint16_t element;
            std::memcpy(&element, Transposed ? emu::operand(b, k, column * 2) : emu::operand(b, column, k * 2), 2);
            sum += rows[i / 2 % 2][k] * emu::bf16(element);
        }
        d[i] = (accumulate ? d[i] : 0) + sum;
    }
}

/* Conversions */
inline std::uint16_t to_bf16_bits(float v) {
    unsigned u = __float_as_uint(v);
    if ((u & 0x7fffffff) > 0x7f800000) return 0x7fff;
    return std::uint16_t((u + 0x7fff + (u >> 16 & 1)) >> 16);
}
inline unsigned pack_bf16(float low, float high) { return to_bf16_bits(low) | unsigned(to_bf16_bits(high)) << 16; }
inline std::uint8_t to_e4m3_bits(float v) {
    if (v != v) return 0x7f;
    std::uint8_t sign = std::signbit(v) ? 0x80 : 0;
    float a = std::min(std::fabs(v), 448.0f);
    int exponent = a > 0 ? std::max(std::ilogb(a), -6) : -6;
    int steps = int(std::nearbyint(std::ldexp(a, 3 - exponent)));
    return sign | std::uint8_t(exponent == -6 ? steps : (exponent + 6) * 8 + steps);
}
inline unsigned pack_e4m3(float low, float high) { return to_e4m3_bits(low) | unsigned(to_e4m3_bits(high)) << 8; }
inline float2 unpack_e4m3(unsigned pair) { return {emu::e4m3(std::uint8_t(pair)), emu::e4m3(std::uint8_t(pair >> 8))}; }
inline float from_f16(std::uint16_t v) { return emu::half_to_float(v); }
inline float exp2_fast(float x) { return x < -126 ? 0 : std::exp2(x); }
inline float exp_exact(float x) { return std::exp(x); }
