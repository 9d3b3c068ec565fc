package io.moebius.launch;

import io.moebius.backend.DeviceLostException;
import io.moebius.checkpoint.CheckpointException;
import io.moebius.hub.HubException;
import io.moebius.license.SecretSource;
import io.moebius.policy.PolicyException;
import io.moebius.text.TextException;

/** A start that cannot go on: one line for the person, in which no container secret stands, and the code to exit with. */
final class StartException extends RuntimeException {

    private final ExitCode code;

    StartException(ExitCode code, String message) {
        super(SecretSource.hide(message));
        this.code = code;
    }

    /** What any failure means for a person. */
    static StartException of(Throwable failure) {
        return switch (failure) {
            case StartException known -> known;
            case HubException hub -> new StartException(ExitCode.of(hub), hub.getMessage());
            case CheckpointException checkpoint -> new StartException(ExitCode.BAD_CHECKPOINT, checkpoint.getMessage());
            case TextException text -> new StartException(ExitCode.BAD_TOKENIZER, text.getMessage());
            case PolicyException policy -> new StartException(ExitCode.NO_POLICY, policy.getMessage());
            case DeviceLostException lost -> new StartException(
                    ExitCode.DEVICE_LOST, "the GPU is lost: %s; start the program anew".formatted(Console.firstLine(lost)));
            case OutOfMemoryError full -> new StartException(ExitCode.OUT_OF_MEMORY, "out of memory: " + Console.firstLine(full));
            default -> new StartException(ExitCode.FAILED, "an unexpected failure: " + Console.firstLine(failure));
        };
    }

    ExitCode code() {
        return code;
    }
}
