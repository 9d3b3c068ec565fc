package io.moebius.launch;

import io.moebius.license.SecretSource;

/** A start that cannot go on: one line for the person, in which no container secret stands, and the code to exit with. */
final class StartException extends RuntimeException {

    private final ExitCode code;

    StartException(ExitCode code, String message) {
        super(SecretSource.hide(message));
        this.code = code;
    }

    ExitCode code() {
        return code;
    }
}
