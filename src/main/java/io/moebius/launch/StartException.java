package io.moebius.launch;

/** A start that cannot go on: one line for the person, and the code to exit with. */
final class StartException extends RuntimeException {

    private final ExitCode code;

    StartException(ExitCode code, String message) {
        super(message);
        this.code = code;
    }

    ExitCode code() {
        return code;
    }
}
