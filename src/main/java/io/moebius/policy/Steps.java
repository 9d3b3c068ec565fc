package io.moebius.policy;

/** Whole steps of the loaded model, to be measured. */
public interface Steps {

    /** What the tokens of a step are. */
    enum Phase {
        /** One token of each of many sequences. */
        DECODE,
        /** Many tokens of one sequence. */
        PREFILL,
        /** Many tokens of one long prompt, and beside them a token of each of {@link Steps#DECODES_BESIDE} sequences. */
        MIXED
    }

    int DECODES_BESIDE = 4;

    /** Tokens that a decode looks back on, at most. */
    int MOST_CONTEXT = 512;

    /** Whether a step of {@code tokens} can be run; beside the tokens of a mixed one its decodes have to fit, too. */
    boolean possible(Phase phase, int tokens);

    /** Computes what decodes look back on: among zeros wrong attention would give the right results, and read from no memory. */
    void fillCache();

    /** Runs a step until its logits are there. */
    void run(Phase phase, int tokens);

    /** Of the logits of the last step: the same for the same bits. */
    long fingerprint();
}
