package io.moebius.launch;

import java.io.InputStream;
import java.io.PrintStream;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A tool of the program: it does one thing and ends.
 *
 * @param words       that stand before its flags: "healthcheck", "secret issue"
 * @param operand     what may stand among the flags without a name: "ORG/NAME"; empty for nothing
 * @param flags       its own; they have no twins in the environment
 * @param description one sentence for --help
 */
record Subcommand(String words, String operand, List<Flag> flags, String description, Action action) {

    /** Its words and its operand. */
    String usage() {
        return (words + " " + operand).strip();
    }

    /** What it does. Results go to {@code out}, everything else to {@code errors}. */
    interface Action {
        /**
         * @return the exit status
         * @throws RuntimeException for whatever made it fail: {@link StartException#of} says what it means
         */
        int run(Options options, Shell shell);
    }

    /** What a program gets from whoever calls it. */
    record Shell(Map<String, String> environment, InputStream in, PrintStream out, PrintStream errors) {}

    /** The checked flags and operand that were given, and the defaults of the others. */
    record Options(Map<String, String> values, Optional<String> operand) {

        Optional<String> text(Flag flag) {
            return Optional.ofNullable(values.get(flag.key()));
        }

        /** @throws StartException with {@link ExitCode#USAGE} where it was not given and has no default */
        String required(Flag flag) {
            return text(flag).orElseThrow(() -> new StartException(
                    ExitCode.USAGE, "%s is missing; it takes %s".formatted(flag.option(), flag.type().allowed())));
        }

        long whole(Flag flag) {
            return Long.parseLong(required(flag));
        }

        boolean on(Flag flag) {
            return Boolean.parseBoolean(required(flag));
        }
    }
}
