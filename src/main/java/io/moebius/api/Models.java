package io.moebius.api;

/** The request's field model. */
final class Models {

    private Models() {}

    /** @throws ApiException 404 unless it is absent or names what is served */
    static void check(ServedModel served, String asked) {
        if (asked != null && !served.answersTo(asked)) {
            throw unknown(served, asked);
        }
    }

    static ApiException unknown(ServedModel served, String asked) {
        String shown = asked.substring(0, Math.min(asked.length(), 100)).replaceAll("\\p{Cntrl}", "?");
        return new ApiException(
                404,
                "invalid_request_error",
                "the model '%s' is not served here; '%s' is".formatted(shown, served.id()),
                "model",
                "model_not_found");
    }
}
