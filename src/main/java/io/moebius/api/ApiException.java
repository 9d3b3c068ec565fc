package io.moebius.api;

/** A request that gets an error in OpenAI's envelope. */
final class ApiException extends RuntimeException {

    private final int status;
    private final String type;
    private final String param;
    private final String code;

    ApiException(int status, String type, String message, String param, String code) {
        super(message, null, false, false);
        this.status = status;
        this.type = type;
        this.param = param;
        this.code = code;
    }

    static ApiException invalid(String param, String message) {
        return new ApiException(400, "invalid_request_error", message, param, "invalid_value");
    }

    static ApiException unsupported(String param) {
        return new ApiException(
                400, "invalid_request_error", param + " is not supported yet; leave it out", param, "unsupported_parameter");
    }

    static ApiException unavailable(String message, String code) {
        return new ApiException(503, "service_unavailable_error", message, null, code);
    }

    static ApiException busy(String message) {
        return new ApiException(429, "rate_limit_error", message, null, "rate_limit_exceeded");
    }

    static ApiException timeout(long millis) {
        return new ApiException(
                429,
                "timeout_error",
                "the request took longer than the server's limit of " + millis + " ms; ask for fewer tokens",
                null,
                "request_timeout");
    }

    int status() {
        return status;
    }

    String type() {
        return type;
    }

    String param() {
        return param;
    }

    String code() {
        return code;
    }
}
