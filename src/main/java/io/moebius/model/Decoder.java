package io.moebius.model;

import io.moebius.backend.Backend;
import io.moebius.backend.Batch;
import io.moebius.backend.DeviceSampler;
import io.moebius.backend.KvCache;
import io.moebius.backend.Tensor;
import java.util.Optional;

/** A decoder-only language model on a backend. */
public interface Decoder {

    Backend backend();

    int vocabulary();

    /** Largest number of tokens in one step. */
    int maxBatchTokens();

    KvCache.Shape kvShape();

    /** What draws tokens from its logits on the backend's device; empty where the host must do it. */
    default Optional<DeviceSampler> sampler() {
        return Optional.empty();
    }

    /** Runs one step; the logits [L, vocabulary] of batch.logitRows() stay valid until the next call. */
    Tensor forward(Batch batch, KvCache cache);
}
