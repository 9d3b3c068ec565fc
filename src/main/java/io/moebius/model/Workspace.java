package io.moebius.model;

import io.moebius.backend.Backend;
import io.moebius.backend.Batch;
import io.moebius.backend.Routing;
import io.moebius.backend.Tensor;
import io.moebius.checkpoint.ModelConfig;

/** The activations of the largest step, allocated once. */
record Workspace(int maxTokens, int maxSequences, Step largest) {

    /** The activations of one step: rows of tokens, and of the tokens whose logits are wanted (last...); gate and up of dense networks. */
    record Step(
            Tensor hidden,
            Tensor normed,
            Tensor query,
            Tensor key,
            Tensor value,
            Tensor attended,
            Tensor gate,
            Tensor up,
            Routing routing,
            Tensor last,
            Tensor lastNormed,
            Tensor logits) {}

    static Workspace allocate(ModelConfig config, Backend backend, int maxTokens, int maxSequences) {
        Step largest = new Step(
                backend.tensor(maxTokens, config.hidden()),
                backend.tensor(maxTokens, config.hidden()),
                backend.tensor(maxTokens, config.queryWidth()),
                backend.tensor(maxTokens, config.keyWidth()),
                backend.tensor(maxTokens, config.keyWidth()),
                backend.tensor(maxTokens, config.queryWidth()),
                backend.tensor(maxTokens, config.denseFfn()),
                backend.tensor(maxTokens, config.denseFfn()),
                backend.routing(maxTokens, config.expertsPerToken()),
                backend.tensor(maxSequences, config.hidden()),
                backend.tensor(maxSequences, config.hidden()),
                backend.tensor(maxSequences, config.vocabulary()));
        return new Workspace(maxTokens, maxSequences, largest);
    }

    Step step(Batch batch) {
        int tokens = batch.size();
        int rows = batch.logitRows().length;
        return new Step(
                largest.hidden.first(tokens),
                largest.normed.first(tokens),
                largest.query.first(tokens),
                largest.key.first(tokens),
                largest.value.first(tokens),
                largest.attended.first(tokens),
                largest.gate.first(tokens),
                largest.up.first(tokens),
                largest.routing,
                largest.last.first(rows),
                largest.lastNormed.first(rows),
                largest.logits.first(rows));
    }
}
