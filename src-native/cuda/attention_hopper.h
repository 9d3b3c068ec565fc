/* The attention of attention.h on Hopper's wgmma, for head dims 64 and 128: the same tiles of 64 and splits of 256 positions counted from
   0, but sums of its own, so that a GPU runs either these kernels or those. A weight is 2^(score * factor - largest) by one fused
   multiply-add; a thread sums the weights that it holds, and the four threads of a row meet at the end of a split.

   Groups warpgroups have 64 query rows each; 128 more threads fill a ring of stages, one tile of keys or of values each: slabs of
   64 positions x 64 channels of bf16, swizzled (layout.h), read by wgmma as [position][channel] for the scores and transposed for the
   sums. e4m3 tiles are copied to a place of their own and widened into their stage by the thread that copied them.
   While the values of a tile are added up, its warpgroup weighs the scores of the next; two warpgroups take turns in giving the
   tensor cores work. */
#pragma once
#include "attention.h"

constexpr int kHopperTile = 64;

/* What a block does: query heads first_head .. first_head + heads - 1 of a kv head for some tokens, over tiles begin .. end - 1, of which
   positions start .. limit - 1 are read; position of the first token. In shared memory, which leaves the registers to the sums. */
struct AttentionWork {
    Queries queries;
    int kv_head, first_head, heads, begin, end, position, start, limit, window;
    float factor; /* of scores, to base 2 */
    int row_positions[kQueryRows]; /* -1 for rows that are none */
    Running joined[2 * kQueryRows]; /* of each thread, over the splits before */
};

template <int Dim, bool E4m3, int Groups, int Stages, bool Split> struct HopperAttention {
    static constexpr int kTile = kHopperTile, kMath = Groups * 128, kProducers = 128, kLag = Stages / 2; /* copies in flight */
    static constexpr int kElement = E4m3 ? 1 : 2, kStage = kTile * Dim * 2, kRaw = E4m3 ? kTile * Dim : 0;
    static constexpr int kChunks = Dim * kElement / 16, kPasses = kTile * kChunks / kProducers, kSteps = kTile / 16;
    static constexpr int kScores = kTile / 2, kSums = Dim / 2; /* accumulators of a thread */
    static constexpr int kProducerRegisters = Groups == 1 ? 56 : 40, kMathRegisters = Groups == 1 ? 200 : 232;
    /* The warpgroups share what the block is launched with: 128 or 168 for each thread. More would be waited for forever. */
    static_assert(kProducerRegisters + Groups * kMathRegisters <= (Groups == 1 ? 2 * 128 : 3 * 168), "registers");

    const moebius_attend &p;
    std::uint8_t *shared;
    AttentionWork &work;
    std::uint32_t base;
    int thread;

    __device__ HopperAttention(const moebius_attend &p, std::uint8_t *shared, AttentionWork &work)
        : p(p), shared(shared), work(work), base(shared_address(shared)), thread(threadIdx.x) {}

    __device__ std::uint32_t stage(int item) const { return base + item % Stages * kStage; }
    __device__ std::uint32_t full(int item) const { return base + hopper_attention_bytes(Dim, E4m3, Stages) - Stages * 16 + item % Stages * 8; }
    __device__ std::uint32_t empty(int item) const { return full(item) + Stages * 8; }
    __device__ void await_full(int item) const { mbarrier_wait(full(item), item / Stages % 2); }
    __device__ void await_empty(int item) const { mbarrier_wait(empty(item), item / Stages % 2 ^ 1); }

    /* Items of the ring: keys of the first tile, its values, keys of the second, ... */
    __device__ void produce() {
        int t = thread - kMath, items = 2 * (work.end - work.begin);
        for (int item = 0; item < items + kLag; item++) {
            if (item < items) {
                if (!E4m3) await_empty(item);
                copy(item, t);
            }
            copy_async_commit();
            if (item < kLag) continue;
            copy_async_wait<kLag>();
            if (E4m3) {
                await_empty(item - kLag);
                widen(item - kLag, t);
            }
            proxy_fence();
            mbarrier_arrive(full(item - kLag));
        }
    }

    __device__ std::uint32_t raw(int item) const { return Stages * kStage + item % (kLag + 1) * kRaw; }
    /* Byte of channel byte / 2 of a row within its stage. */
    __device__ static std::uint32_t place(int row, int byte) { return byte / kUnitRowBytes * kUnit + swizzled(row, byte % kUnitRowBytes); }

    /* Zeros before start and from limit on. */
    __device__ void copy(int item, int t) const {
        const int *table = p.tables + p.table_offsets[work.queries.sequence];
        const std::uint8_t *from = static_cast<const std::uint8_t *>(item % 2 ? p.values : p.keys);
#pragma unroll 4 /* which the producers' registers suffice for */
        for (int i = 0; i < kPasses; i++) {
            int chunk = i * kProducers + t, row = chunk / kChunks, byte = chunk % kChunks * 16;
            int position = (work.begin + item / 2) * kTile + row;
            bool valid = position >= work.start && position < work.limit;
            std::int64_t block = valid ? table[position / kBlockTokens] : 0;
            std::int64_t at = ((block * p.kv_heads + work.kv_head) * kBlockTokens + position % kBlockTokens) * Dim * kElement + byte;
            copy_async_16(E4m3 ? base + raw(item) + chunk * 16 : stage(item) + place(row, byte), from + at, valid);
        }
    }

    __device__ void widen(int item, int t) {
#pragma unroll
        for (int i = 0; i < kPasses; i++) {
            int chunk = i * kProducers + t, row = chunk / kChunks, byte = chunk % kChunks * 32;
            const uint4 codes = *reinterpret_cast<const uint4 *>(shared + raw(item) + chunk * 16);
            const unsigned words[4] = {codes.x, codes.y, codes.z, codes.w};
#pragma unroll
            for (int half = 0; half < 2; half++) {
                unsigned wide[4];
#pragma unroll
                for (int j = 0; j < 4; j++) {
                    float2 v = unpack_e4m3(words[half * 2 + j / 2] >> 16 * (j % 2) & 0xffff);
                    wide[j] = pack_bf16(v.x, v.y);
                }
                *reinterpret_cast<uint4 *>(shared + (stage(item) - base) + place(row, byte + half * 16)) = make_uint4(wide[0], wide[1], wide[2], wide[3]);
            }
        }
    }

    __device__ int row(int h) const { return thread / 32 * 16 + thread % 32 / 4 + 8 * h; }
    struct Place { int token, head; };
    /* Of a query row; token -1 for rows that are none. */
    __device__ Place locate(int h) const {
        int token = work.queries.first + row(h) / work.heads;
        return {token < work.queries.end ? token : -1, work.kv_head * (p.heads / p.kv_heads) + work.first_head + row(h) % work.heads};
    }

    /* Two warpgroups take turns: each waits for the other to have issued its products. */
    __device__ void await_turn(int group) const { if (Groups == 2) named_barrier(1 + group, kMath); }
    __device__ void pass_turn(int group) const { if (Groups == 2) named_arrive(2 - group, kMath); }

    __device__ void multiply_keys(int item, const unsigned (&q)[Dim / 16][4], float (&s)[kScores]) const {
        await_full(item);
        wgmma_fence();
#pragma unroll
        for (int step = 0; step < Dim / 16; step++)
            wgmma_bf16<false>(s, q[step], swizzled_descriptor(stage(item) + step / 4 * kUnit + step % 4 * 32), step > 0);
        wgmma_commit();
    }
    __device__ void multiply_values(int item, const unsigned (&weights)[kSteps][4], float (&o)[kSums]) const {
        await_full(item);
        wgmma_fence();
#pragma unroll
        for (int step = 0; step < kSteps; step++)
            wgmma_bf16<true>(o, weights[step], transposed_descriptor(stage(item) + step * 16 * kUnitRowBytes, kUnit), 1);
        wgmma_commit();
    }
    __device__ void release(int item) const {
        __syncwarp();
        if (thread % 32 == 0) mbarrier_arrive(empty(item));
    }

    /* -infinity for what each row's token does not see. */
    __device__ void hide(int first, float (&s)[kScores]) const {
#pragma unroll
        for (int h = 0; h < 2; h++) {
            int last = work.row_positions[row(h)];
#pragma unroll
            for (int i = 2 * h; i < kScores; i += 4)
#pragma unroll
                for (int j = i; j < i + 2; j++)
                    if (unsigned(last - first - fragment_column(j, thread % 32)) >= unsigned(work.window)) s[j] = -INFINITY;
        }
    }
    /* s = weights of a tile's scores; keep: the factor of what was summed before. */
    __device__ void weigh(int tile, float (&s)[kScores], Running &state, float (&keep)[2]) const {
        int first = tile * kTile;
        if (first + kTile - 1 > work.position || first < work.limit - work.window) hide(first, s);
#pragma unroll
        for (int h = 0; h < 2; h++) {
            float largest = -INFINITY, old = state.largest[h], sum = 0, factor = work.factor;
#pragma unroll
            for (int i = 2 * h; i < kScores; i += 4) largest = fmaxf(largest, fmaxf(s[i], s[i + 1]));
            largest = fmaxf(largest, __shfl_xor_sync(kAllLanes, largest, 1));
            largest = fmaxf(largest, __shfl_xor_sync(kAllLanes, largest, 2));
            state.largest[h] = fmaxf(old, __fmul_rn(largest, factor));
            float top = finite_or_zero(state.largest[h]);
#pragma unroll
            for (int i = 2 * h; i < kScores; i += 4) {
                s[i] = exp2_fast(__fmaf_rn(s[i], factor, -top));
                s[i + 1] = exp2_fast(__fmaf_rn(s[i + 1], factor, -top));
                sum = __fadd_rn(sum, __fadd_rn(s[i], s[i + 1]));
            }
            keep[h] = exp2_fast(__fadd_rn(old, -top));
            state.sum[h] = __fmaf_rn(state.sum[h], keep[h], sum);
        }
    }
    __device__ static int fragment_column(int i, int lane) { return i / 4 * 8 + lane % 4 * 2 + i % 2; }
    __device__ static int fragment_half(int i) { return i / 2 % 2; }

    __device__ static void as_operand(const float (&s)[kScores], unsigned (&weights)[kSteps][4]) {
#pragma unroll
        for (int i = 0; i < kScores; i += 2) weights[i / 8][i % 8 / 2] = pack_bf16(s[i], s[i + 1]);
    }

    /* The end of a split: its sums are complete in all four threads of a row. */
    __device__ static void complete(Running &state) {
#pragma unroll
        for (int h = 0; h < 2; h++) {
            state.sum[h] = __fadd_rn(state.sum[h], __shfl_xor_sync(kAllLanes, state.sum[h], 1));
            state.sum[h] = __fadd_rn(state.sum[h], __shfl_xor_sync(kAllLanes, state.sum[h], 2));
        }
    }
    __device__ void join(Running &state, float (&o)[kSums], float (&total)[kSums]) {
        complete(state);
        Running &joined = work.joined[thread];
#pragma unroll
        for (int h = 0; h < 2; h++) {
            MergeFactors f = merge(joined.largest[h], joined.sum[h], state.largest[h], state.sum[h]);
#pragma unroll
            for (int i = 2 * h; i < kSums; i += 4)
#pragma unroll
                for (int j = i; j < i + 2; j++) {
                    total[j] = merged(total[j], o[j], f);
                    o[j] = 0;
                }
        }
        state = Running();
    }

    __device__ void consume() {
        int group = thread / 128, lane = thread % 32, item = 0;
        const std::uint16_t *query[2];
#pragma unroll
        for (int h = 0; h < 2; h++) {
            Place at = locate(h);
            query[h] = at.token >= 0 ? p.query + (std::int64_t(at.token) * p.heads + at.head) * Dim : nullptr;
            if (lane % 4 == 0) work.row_positions[row(h)] = at.token >= 0 ? p.positions[at.token] : -1;
        }
        __syncwarp();
        unsigned q[Dim / 16][4], weights[kSteps][4];
        AttentionTiles<Dim, E4m3, kMath>::load_query(query[0], query[1], lane, q);
        float s[kScores], o[kSums] = {}, total[kSums] = {}, keep[2];
        Running state;
        work.joined[thread] = state;

        if (group == 1) pass_turn(1);
        await_turn(group);
        multiply_keys(item, q, s);
        pass_turn(group);
        wgmma_wait<0>();
        wgmma_results(s);
        release(item++);
        weigh(work.begin, s, state, keep);
        as_operand(s, weights);
        for (int tile = work.begin + 1; tile < work.end; tile++, item += 2) {
            await_turn(group);
            multiply_keys(item + 1, q, s);
            multiply_values(item, weights, o);
            pass_turn(group);
            wgmma_wait<1>();
            wgmma_results(s);
            release(item + 1);
            if (!Split && tile * kTile % kSplit == 0) {
                wgmma_wait<0>();
                wgmma_results(o);
                join(state, o, total);
            }
            weigh(tile, s, state, keep);
            wgmma_wait<0>();
            wgmma_results(o);
            wgmma_results(s); /* not packed into the registers of the weights that were being read */
            release(item);
#pragma unroll
            for (int i = 0; i < kSums; i++) o[i] = __fmul_rn(o[i], keep[fragment_half(i)]);
            as_operand(s, weights);
        }
        await_turn(group);
        multiply_values(item, weights, o);
        if (group == 0) pass_turn(0);
        wgmma_wait<0>();
        wgmma_results(o);
        if (Split) {
            complete(state);
            if (p.max_splits == 1) store_rows(lane, o, state);
            else store_split(lane, o, state);
        } else {
            join(state, o, total);
            store_rows(lane, total, work.joined[thread]);
        }
    }

    /* The result, from sums over all that the rows see. */
    __device__ void store_rows(int lane, const float (&total)[kSums], const Running &state) const {
#pragma unroll
        for (int h = 0; h < 2; h++) {
            Place at = locate(h);
            if (at.token < 0) continue;
#pragma unroll
            for (int i = 2 * h; i < kSums; i += 4)
#pragma unroll
                for (int j = i; j < i + 2; j++) store_attended(p, at.token, at.head, fragment_column(j, lane), total[j], state.sum[h]);
        }
    }
    __device__ void store_split(int lane, const float (&o)[kSums], const Running &state) const {
#pragma unroll
        for (int h = 0; h < 2; h++) {
            Place at = locate(h);
            if (at.token < 0) continue;
            float *row = p.partials + ((std::int64_t(at.token) * p.heads + at.head) * p.max_splits + blockIdx.z) * (Dim + 2);
#pragma unroll
            for (int i = 2 * h; i < kSums; i += 4) {
                row[fragment_column(i, lane)] = o[i];
                row[fragment_column(i + 1, lane)] = o[i + 1];
            }
            if (lane % 4 == 0) { row[Dim] = state.largest[h]; row[Dim + 1] = state.sum[h]; }
        }
    }

    __device__ void run() {
        if (thread == 0) {
            for (int s = 0; s < Stages; s++) {
                mbarrier_init(full(s), kProducers);
                mbarrier_init(empty(s), Groups * 4);
            }
            mbarrier_init_fence();
        }
        __syncthreads();
        if (thread >= kMath) {
            registers_give<kProducerRegisters>();
            produce();
        } else {
            registers_take<kMathRegisters>();
            consume();
        }
    }
};
