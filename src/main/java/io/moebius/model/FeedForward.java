package io.moebius.model;

import io.moebius.backend.Backend;
import io.moebius.checkpoint.ModelConfig;

/** The second half of a decoder layer. */
sealed interface FeedForward permits DenseFeedForward, MixtureOfExperts {

    /** Adds to w.hidden. */
    void forward(Backend backend, ModelConfig config, Workspace.Step w);
}
