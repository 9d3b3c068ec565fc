package io.moebius.launch;

/** What the program's exit status means; docs/exit-codes.md is made from this. */
enum ExitCode {
    OK(0, "stopped as asked, or printed what was asked for"),
    USAGE(2, "a flag or an environment twin is wrong: unknown, without a value, with a bad value, or not supported yet"),
    PORT_IN_USE(3, "the web port or the metrics port is taken, or may not be opened"),
    MODEL_NOT_FOUND(4, "the model is neither a folder nor in the Hugging Face cache"),
    BAD_CHECKPOINT(5, "the model's configuration or weights are broken or of a kind that is not supported"),
    BAD_TOKENIZER(6, "the model's tokenizer or chat template cannot be used"),
    NO_BACKEND(7, "the device's kernels cannot be used on this machine"),
    OUT_OF_MEMORY(8, "the model or its KV cache does not fit into memory"),
    NO_TOKEN(9, "the loaded model could not generate its first token"),
    NO_LICENSE(13, "the container secret does not allow to serve: missing, damaged, not signed by a known key, expired, not yet valid, or for fewer devices"),
    FAILED(10, "anything else that ended the start");

    private final int status;
    private final String meaning;

    ExitCode(int status, String meaning) {
        this.status = status;
        this.meaning = meaning;
    }

    int status() {
        return status;
    }

    String meaning() {
        return meaning;
    }
}
