package io.moebius.model;

import io.moebius.backend.Backend;
import io.moebius.backend.Batch;
import io.moebius.backend.KvCache;
import io.moebius.backend.Tensor;

/** A decoder-only language model on a backend. */
public interface Decoder {

    Backend backend();

    int vocabulary();

    /** Largest number of tokens in one step. */
    int maxBatchTokens();

    KvCache.Shape kvShape();

    /** Runs one step; the logits [L, vocabulary] of batch.logitRows() stay valid until the next call. */
    Tensor forward(Batch batch, KvCache cache);
}
