package io.moebius.api;

import java.nio.charset.StandardCharsets;

/** Whether prompt and answer fit the model's longest sequence. */
final class ContextLength {

    private ContextLength() {}

    /**
     * Refuses before tokenising what can't fit: no token covers more bytes than the vocabulary's longest.
     *
     * @throws ApiException 400 context_length_exceeded
     */
    static void checkBytes(ServedModel model, String param, long bytes) {
        long fewest = Math.ceilDiv(bytes, model.longestTokenBytes());
        if (fewest >= model.maxSequenceLength()) {
            throw exceeded(param, "the prompt has %d bytes, at least %d tokens (no token covers more than %d bytes)"
                    .formatted(bytes, fewest, model.longestTokenBytes()), model);
        }
    }

    static long bytes(String text) {
        return text.length() > 1 << 16 ? text.length() : text.getBytes(StandardCharsets.UTF_8).length;
    }

    static void checkTokens(ServedModel model, String param, int tokens) {
        if (tokens == 0) {
            throw ApiException.invalid(param, param + " has no tokens; it must have at least one");
        }
        if (tokens >= model.maxSequenceLength()) {
            throw exceeded(param, "the prompt has %d tokens".formatted(tokens), model);
        }
    }

    /** Most tokens that the answer may have: as asked, else what the prompt leaves. */
    static int maxTokens(ServedModel model, GenerationRequest request, int promptTokens) {
        int left = model.maxSequenceLength() - promptTokens;
        if (request.maxTotalTokens() != null) {
            int total = Check.between("max_total_tokens", request.maxTotalTokens(), 1, model.maxSequenceLength(), 0);
            if (total <= promptTokens) {
                throw exceeded(
                        "max_total_tokens",
                        "the prompt has %d tokens and max_total_tokens is %d".formatted(promptTokens, total),
                        model);
            }
            return total - promptTokens;
        }
        boolean chat = request.maxCompletionTokens() != null;
        String param = chat ? "max_completion_tokens" : "max_tokens";
        int asked = Check.atLeast(param, chat ? request.maxCompletionTokens() : request.maxTokens(), 1, left);
        if (asked > left) {
            throw exceeded(
                    param,
                    "the prompt has %d tokens and %s is %d, together %d"
                            .formatted(promptTokens, param, asked, (long) promptTokens + asked),
                    model);
        }
        return asked;
    }

    private static ApiException exceeded(String param, String problem, ServedModel model) {
        return new ApiException(
                400,
                "invalid_request_error",
                "%s; the model's longest sequence, prompt and answer together, is %d tokens"
                        .formatted(problem, model.maxSequenceLength()),
                param,
                "context_length_exceeded");
    }
}
