package io.moebius.engine;

/** Runs steps: the model, then the choice of a token for every sequence that the step completes. */
interface StepRunner {

    /** May return before the step has run. */
    StartedStep start(Step step);

    interface StartedStep {

        /** Waits until the step has run, or throws why it could not. */
        void await();

        /**
         * The token that the sequence of a completing slice goes on with.
         *
         * @throws NotANumberException if its logits were not finite, or, where that is ignored, none was left to choose from
         */
        GeneratedToken token(Step.Slice slice);
    }
}
