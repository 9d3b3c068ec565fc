package io.moebius.backend.cpu;

import io.moebius.backend.Variant;

/** How a call is shared out among the threads and caches; moebius_cpu.h says what each number means. */
sealed interface CpuVariant extends Variant {

    /** @param interleave 0: as usual for as many tokens as a matrix has */
    record Product(int threads, int panel, int direct, int interleave) implements CpuVariant {
        @Override
        public String name() {
            String name = "threads %d, panel %d, direct %d".formatted(threads, panel, direct);
            return interleave == 0 ? name : name + ", interleave " + interleave;
        }
    }

    /** @param fused whether gate and up are multiplied and gated panel by panel */
    record Experts(Product product, boolean fused) implements CpuVariant {
        @Override
        public String name() {
            return product.name() + (fused ? ", fused" : "");
        }
    }

    record Attention(int threads, int run, int tasks) implements CpuVariant {
        @Override
        public String name() {
            return "threads %d, run %d, tasks %d".formatted(threads, run, tasks);
        }
    }
}
