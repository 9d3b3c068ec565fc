/* The CPU kernels as io.moebius.backend.cpu calls them. Activations are float32, row-major; every row of a result depends on
   its own row of input alone, bit for bit, whatever else is in the call. Indices are checked by the caller. */
#ifndef MOEBIUS_CPU_H
#define MOEBIUS_CPU_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Instruction sets, best first. */
enum { MOEBIUS_AMX = 0, MOEBIUS_AVX512_BF16 = 1, MOEBIUS_AVX512 = 2, MOEBIUS_AVX2 = 3, MOEBIUS_BASELINE = 4 };
/* Element types of a matrix. */
enum { MOEBIUS_F32 = 0, MOEBIUS_F16 = 1, MOEBIUS_BF16 = 2, MOEBIUS_E4M3 = 3, MOEBIUS_INT4 = 4 };
/* What happens to the input of a matrix. */
enum { MOEBIUS_KEEP = 0, MOEBIUS_STATIC = 1, MOEBIUS_PER_GROUP = 2 };

/* 1 if this processor has the instruction set and, of AMX, the system lets this process use it. */
int moebius_supports(int instruction_set);

/* What the kernels were built from: a digest of their sources and the compiler. */
const char *moebius_build(void);

/* An engine: kernels of one instruction set and its worker threads, the caller's thread counted. */
void *moebius_create(int instruction_set, int threads);
void moebius_destroy(void *engine);

/* Measured on all threads: bytes per second of a reduction over memory larger than caches (0 if there is none), and flops per
   second of the widest multiply-add. */
double moebius_read_bandwidth(void *engine);
double moebius_peak_flops(void *engine);

/* Zeroed memory, aligned to a page, that takes no room until it is written; NULL if there is none. */
void *moebius_allocate(int64_t bytes);
void moebius_free(void *memory, int64_t bytes);

/* A matrix [rows, columns] over data that stays the caller's; scales (E4M3 and INT4 only) are copied: one per block of
   block_rows x block_columns. INT4: groups of 32 columns, 16 bytes each, byte i holding i and i + 16 plus 8. activation_scale: the
   scale of MOEBIUS_STATIC, the largest amax of MOEBIUS_PER_GROUP; group: channels per scale of the latter.
   What the kernels read faster repacked is: where data is mapped from a file, which must stay so, by threads of the engine that the
   first product lets begin; else before the call returns, and then, if moebius_matrix_packed, data is read but by moebius_embed. */
void *moebius_matrix(void *engine, const void *data, int type, int rows, int columns, const float *scales, int scale_count,
                     int block_rows, int block_columns, int activation, float activation_scale, int group, int mapped);
/* Returns when all is repacked. */
void moebius_finish_packing(void *engine);
/* Bytes of memory that repacking will still take. */
int64_t moebius_unpacked_bytes(void *engine);
/* 1 if it is repacked. */
int moebius_matrix_packed(const void *matrix);
/* A mapped one after moebius_destroy. */
void moebius_matrix_free(void *matrix);

/* out [count, columns] = rows of table by token. */
void moebius_embed(void *engine, const void *table, const int *tokens, int count, float *out);
/* out = x / sqrt(mean(x^2) + epsilon) * weight (one row), x [rows, columns]. */
void moebius_rms_norm(void *engine, const float *x, const void *weight, double epsilon, int rows, float *out);
/* How a call is shared out; the bits of its result never depend on it.
   threads: at most so many work. panel: rows of a matrix that a thread takes at once, a multiple of 16. direct: up to so many rows
   of x the weights are decoded in registers for every tile of rows of x, beyond that a panel is decoded to memory first.
   interleave: rows of a repacked matrix that a tile multiplies side by side, 16, 32 or 64, with fewer rows of x the more they are;
   0: as usual for so many rows of x. run: key heads that are read together. tasks: how many pairs of up to eight tokens of a prompt and run a thread takes at once. fused:
   a thread gates a panel as soon as it has multiplied with it, not all threads after all products. */

/* out [rows, matrix rows] = x * transpose(matrix), added to out if add. prompt [rows], here and in moebius_experts: 1 for tokens of
   prompts, 0 for generated ones, NULL if all are that; engines of AMX sum the former in another order. */
void moebius_project(void *engine, const float *x, const void *matrix, const unsigned char *prompt, int rows, float *out, int add,
                     int threads, int panel, int direct, int interleave);
/* x [rows, columns] += bias (one row). */
void moebius_add_bias(void *engine, float *x, const void *bias, int rows);
/* gate = silu(gate) * up, [rows, columns]. */
void moebius_swiglu(void *engine, float *gate, const float *up, int rows, int columns);
/* Turns the pair (i, i + head_dim / 2) of each head of query and key [count, heads * head_dim] in place, by positions[t] *
   frequencies[i], and multiplies it by factor; stores key and value at their slots of the layer's cache
   of type F32, BF16 or E4M3, the latter as codes of x / scale. */
void moebius_rope_store(void *engine, float *query, float *key, const float *value, const int *positions, const int *slots,
                        int count, int heads, int kv_heads, int head_dim, const double *frequencies, double factor, void *keys,
                        void *values, int type, float key_scale, float value_scale);
/* Causal attention: token t reads positions 0..positions[t] of its sequence, the last `window` of them unless that is 0,
   position p at slot tables[table_offsets[t] + p / 16] * 16 + p % 16. */
void moebius_attend(void *engine, const float *query, const void *keys, const void *values, int type, float key_scale,
                    float value_scale, int window, const int *positions, const int *tables, const int *table_offsets,
                    int count, int heads, int kv_heads, int head_dim, float *out, int threads, int run, int tasks);
/* The top_k largest of softmax(x * transpose(router)), ties to the lower index, divided by their sum. */
void moebius_route(void *engine, const float *x, const void *router, int rows, int top_k, int *ids, float *weights);
/* residual += sum of weight * down(silu(gate x) * up x) over the chosen experts, in the order of choice.
   matrices: gate, up and down of expert 0, of expert 1, ... */
void moebius_experts(void *engine, const float *x, const int *ids, const float *weights, int rows, int top_k,
                     const int64_t *matrices, const unsigned char *prompt, int experts, float *residual, int threads, int panel, int direct,
                     int interleave, int fused);
/* out[i] = x[rows[i]]. */
void moebius_gather(const float *x, const int *rows, int count, int columns, float *out);
/* Copies count floats. */
void moebius_read(const float *from, int count, float *to);

#ifdef __cplusplus
}
#endif
#endif
