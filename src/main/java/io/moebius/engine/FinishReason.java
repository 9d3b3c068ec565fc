package io.moebius.engine;

/** Why a sequence ended by itself. */
public enum FinishReason {
    /** One of its stop tokens was chosen. */
    STOP,
    /** maxTokens was reached. */
    LENGTH
}
