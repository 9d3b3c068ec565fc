package io.moebius.launch;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Reads flags: the command line before the environment before the defaults. Errors are one line and exit 2. */
final class CommandLine {

    /** What was asked for. */
    sealed interface Request {
        record Help() implements Request {}

        record Version() implements Request {}

        /** @param values by configuration key; absent where there is neither value nor default */
        record Serve(Map<String, String> values) implements Request {}
    }

    private CommandLine() {}

    /** @throws StartException with {@link ExitCode#USAGE} */
    static Request parse(String[] arguments, Map<String, String> environment) {
        Map<Flag, String> given = new LinkedHashMap<>();
        for (int i = 0; i < arguments.length; i++) {
            String argument = arguments[i];
            if (argument.equals("--help") || argument.equals("-h")) {
                return new Request.Help();
            }
            if (argument.equals("--version")) {
                return new Request.Version();
            }
            int equals = argument.startsWith("--") ? argument.indexOf('=') : -1;
            String option = equals < 0 ? argument : argument.substring(0, equals);
            Flag flag = FlagTable.find(option).orElseThrow(() -> unknown(option));
            String value;
            if (equals >= 0) {
                value = argument.substring(equals + 1);
            } else if (i + 1 < arguments.length && !isOption(arguments[i + 1])) {
                value = arguments[++i];
            } else if (flag.type() instanceof FlagType.Switch) {
                value = "true";
            } else {
                throw usage("%s needs a value: %s".formatted(option, flag.type().label()));
            }
            check(flag, value, option);
            if (given.put(flag, value) != null) {
                throw usage("%s is given twice".formatted(option));
            }
        }
        return new Request.Serve(values(given, environment));
    }

    private static boolean isOption(String argument) {
        return argument.startsWith("--") || argument.equals("-d") || argument.equals("-h");
    }

    private static Map<String, String> values(Map<Flag, String> given, Map<String, String> environment) {
        Map<String, String> values = new LinkedHashMap<>();
        FlagTable.all().forEach(flag -> {
            String value = given.get(flag);
            if (value == null && environment.containsKey(flag.variable())) {
                value = environment.get(flag.variable());
                check(flag, value, flag.variable());
            }
            if (value == null) {
                value = flag.defaultValue();
            }
            if (value != null) {
                values.put(flag.key(), value);
            }
        });
        return values;
    }

    private static void check(Flag flag, String value, String name) {
        Optional<String> complaint = flag.complaint(value);
        if (complaint.isPresent()) {
            throw usage("%s is \"%s\"; %s".formatted(name, oneLine(value), complaint.get()));
        }
    }

    private static StartException unknown(String option) {
        return option.startsWith("-")
                ? usage("unknown flag %s; did you mean %s? --help lists all".formatted(oneLine(option), FlagTable.nearest(option)))
                : usage("unexpected word \"%s\"; flags begin with --, --help lists all".formatted(oneLine(option)));
    }

    private static String oneLine(String text) {
        String line = text.replaceAll("\\p{Cntrl}", "?");
        return line.length() > 100 ? line.substring(0, 100) + "..." : line;
    }

    private static StartException usage(String message) {
        return new StartException(ExitCode.USAGE, message);
    }
}
