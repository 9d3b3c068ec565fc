package io.moebius.backend.cpu;

import io.moebius.backend.Routing;

/** Expert ids (int32) and weights (float32), [tokens, topK] each, in native memory. */
record CpuRouting(long ids, long weights, int tokens, int topK) implements Routing {}
