package io.moebius.launch;

import io.moebius.hub.HubException;

/** What the program's exit status means; docs/exit-codes.md is made from this. */
enum ExitCode {
    OK(0, "stopped as asked, or printed what was asked for"),
    UNTRUE(1, "what a tool was asked to check does not hold, or ./moebius could not be built"),
    USAGE(2, "a flag, an environment twin or a file that one names is wrong: unknown, missing, given twice, with a bad value, not fitting the others, or not supported yet"),
    PORT_IN_USE(3, "the web port or the metrics port is taken, or may not be opened"),
    MODEL_NOT_FOUND(4, "there is no such model: no folder, nothing in the cache, and the Hugging Face Hub has none that can be served"),
    BAD_CHECKPOINT(5, "the model's configuration or weights are broken or of a kind that is not supported"),
    BAD_TOKENIZER(6, "the model's tokenizer or chat template cannot be used"),
    NO_BACKEND(7, "the device's kernels cannot be used on this machine"),
    OUT_OF_MEMORY(8, "the model or its KV cache does not fit into memory"),
    NO_TOKEN(9, "the loaded model could not generate its first token"),
    FAILED(10, "anything else that ended the start, or a tool"),
    NO_POLICY(11, "a policy search cannot keep what it finds: the folder cannot be written, or holds another machine's file; or the policy file that a tool was given cannot be used"),
    HUB_REFUSED(12, "the Hugging Face Hub wants a token, another one, or its terms accepted"),
    HUB_UNREACHABLE(13, "the Hugging Face Hub cannot be reached, or HF_HUB_OFFLINE forbids it, and the cache does not hold all of the model; or HF_ENDPOINT is no address"),
    NO_ROOM(14, "the cache has no room for the model, or cannot be written"),
    DOWNLOAD_DAMAGED(15, "a file came otherwise than the Hub lists it, and was removed"),
    NO_LICENSE(16, "the container secret does not allow to serve: missing, damaged, not signed by a known key, revoked, expired, not yet valid, or for fewer devices"),
    DEVICE_LOST(17, "the GPU has failed for good: nothing on it can be used again until the program is started anew"),
    ENGINE_FAILED(18, "the engine gave up while serving, after several steps in a row had failed");

    private final int status;
    private final String meaning;

    ExitCode(int status, String meaning) {
        this.status = status;
        this.meaning = meaning;
    }

    /** For a model that cannot be found or fetched. */
    static ExitCode of(HubException failure) {
        return switch (failure.kind()) {
            case NOT_FOUND -> MODEL_NOT_FOUND;
            case REFUSED -> HUB_REFUSED;
            case UNREACHABLE -> HUB_UNREACHABLE;
            case NO_ROOM -> NO_ROOM;
            case DAMAGED -> DOWNLOAD_DAMAGED;
        };
    }

    int status() {
        return status;
    }

    String meaning() {
        return meaning;
    }
}
