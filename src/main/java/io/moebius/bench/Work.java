package io.moebius.bench;

/** What a step needs at least: bytes of weights and cache, each read once, and the flops of its products. */
record Work(double bytes, double flops) {

    Work plus(double moreBytes, double moreFlops) {
        return new Work(bytes + moreBytes, flops + moreFlops);
    }

    Work minus(Work earlier) {
        return new Work(bytes - earlier.bytes, flops - earlier.flops);
    }
}
