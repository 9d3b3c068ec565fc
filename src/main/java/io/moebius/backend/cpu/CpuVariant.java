package io.moebius.backend.cpu;

import io.moebius.backend.Variant;

/** How a call is shared out among the threads and caches; moebius_cpu.h says what each number means. */
sealed interface CpuVariant extends Variant {

    record Product(int threads, int panel, int direct) implements CpuVariant {
        @Override
        public String name() {
            return "threads %d, panel %d, direct %d".formatted(threads, panel, direct);
        }
    }

    record Attention(int threads, int run, int tasks) implements CpuVariant {
        @Override
        public String name() {
            return "threads %d, run %d, tasks %d".formatted(threads, run, tasks);
        }
    }
}
