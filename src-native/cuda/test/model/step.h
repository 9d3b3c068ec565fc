/* One step of a decoder as a list of launches: the engine's own order, without the engine. */
#pragma once
#include "model.h"

struct Batch {
    std::vector<int> tokens, positions, sequences, offsets = {0}, tables, table_offsets, logit_rows;

    /* tokens that follow `history` cached ones, in blocks of the cache counted from `block`; the logits of the last one are wanted. */
    void add(const std::vector<int> &next, int history, int &block);
    bool decodes() const { return tokens.size() + 1 == offsets.size(); }
};

struct Cache {
    int type; /* MOEBIUS_CUDA_BF16 or MOEBIUS_CUDA_E4M3 */
    std::vector<void *> keys, values;
    static Cache allocate(Device &device, const Shape &shape, int blocks, int type);
};

struct Launch {
    std::string site; /* what the kernel does in the step: qkv, output, gate_up, down, head, norm, ... */
    const moebius_variant *variant;
    std::vector<std::uint8_t> structure;
    int grid[3];
    /* What must be read or written once: weights of each expert that has tokens, and the rest; and the flops of products. */
    double expert_bytes = 0, other_bytes = 0, flops = 0;
    const int *expert_offsets = nullptr;

    bool is_product() const { return variant->grid == MOEBIUS_GRID_TILES; }
    moebius_gemm product() const { moebius_gemm g; std::memcpy(&g, structure.data(), sizeof g); return g; }
};

class Step {
  public:
    Step(Device &device, const Model &model, const Cache &cache, const Batch &batch);
    void run() const;
    const std::vector<Launch> &launches() const { return all; }
    std::vector<float> logits() const; /* [logit_rows, vocabulary] */
    std::vector<int> drawn() const;    /* the largest of each row */
    /* Weights of experts without tokens in the last run are not read. */
    double bytes(const Launch &launch) const;
    double bytes() const;
    double flops() const;
    /* The same product by another variant, or a refusal. */
    Launch with_variant(const Launch &launch, const moebius_variant &variant);
    void replace(std::size_t i, const Launch &launch) { all[i] = launch; }
    void launch(const Launch &launch) const;

  private:
    struct Rows { const std::uint16_t *wide; std::uint8_t *codes; float *scales; std::int64_t pitch; }; /* an input, as bf16 and as e4m3 */
    Device &device;
    const Model &model;
    const Shape &shape;
    const Cache &cache;
    const Batch &batch;
    int tokens, *positions, *sequences, *tables, *table_offsets, *offsets, *logit_rows;
    float *residual, *turns, *logit_values, *partials = nullptr, *attention_partials = nullptr, *expert_weights;
    std::uint16_t *qkv, *query, *expert_out;
    int *ids, *sources, *places, *chosen, *ticket, *tickets = nullptr;
    std::size_t partial_floats = 0, ticket_count = 0;
    Rows normed, attended, activated;
    std::vector<int *> expert_offsets; /* of each layer */
    std::vector<Launch> all;

    Rows rows(int count, int columns);
    template <class S> Launch &add(const char *site, const moebius_variant &variant, const S &structure, double bytes);
    const char *place_in(moebius_gemm &gemm, const moebius_variant &variant);
    void attention(int layer);
    void feed_forward(int layer);
    void norm(const char *site, const float *weight, const Linear &next, bool add_experts);
    void quantize(const char *site, const Rows &x, const Linear &next, int rows, int columns);
    void product(const char *site, const Linear &weight, const Linear *up, const Rows &x, int rows, void *out, std::int64_t pitch, int epilogue, float out_scale,
                 const int *expert_offsets, const int *sources);
    void attend(int layer, const Linear &next);
    const moebius_variant &attention_variant(int family) const;
    void head();
    moebius_attend attend_parameters(int layer, const Linear &next);
    std::int64_t seen_positions() const;
};

/* The variant of a product that a table without measurements gives. */
const moebius_variant &default_variant(int compute_capability, const moebius_gemm &gemm, int family);
