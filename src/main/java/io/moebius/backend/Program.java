package io.moebius.backend;

/** A model's kernel calls for one step: the same calls of the same shapes for all batches of as many tokens and rows of logits. */
public interface Program {

    /** Most rows of logits of a step. */
    int mostLogitRows();

    /** Makes the calls; the logits [L, vocabulary] of batch.logitRows(). */
    Tensor run(Batch batch, KvCache cache);
}
