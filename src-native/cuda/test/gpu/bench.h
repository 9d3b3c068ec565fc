/* The two measurements that need a model: attention alone over long contexts, and whole steps with every kernel of them. */
#pragma once
#include "../model/model.h"
#include "bounds.h"
#include "report.h"

struct BenchPlan {
    Shape shape;
    std::vector<int> decodes, prefills, batches, contexts;
    int rounds;

    static BenchPlan mixtral();
    static BenchPlan tiny(); /* tries the bench itself */
};

void bench_attention(GpuDevice &device, const Bounds &bounds, const BenchPlan &plan, Report &report);
void bench_steps(GpuDevice &device, const Bounds &bounds, const BenchPlan &plan, Report &kernels, Report &steps);
