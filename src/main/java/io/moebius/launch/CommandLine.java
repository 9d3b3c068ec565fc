package io.moebius.launch;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** Reads flags: the command line before the environment before the defaults. Errors are one line and exit 2. */
final class CommandLine {

    /** What was asked for. */
    sealed interface Request {
        record Help() implements Request {}

        record HelpOn(List<Subcommand> subcommands) implements Request {}

        record Version() implements Request {}

        /** @param values by configuration key; absent where there is neither value nor default */
        record Serve(Map<String, String> values) implements Request {}

        record Run(Subcommand subcommand, Subcommand.Options options) implements Request {}
    }

    private CommandLine() {}

    /** @throws StartException with {@link ExitCode#USAGE} */
    static Request parse(String[] arguments, Map<String, String> environment) {
        List<String> words = List.of(arguments);
        Optional<Subcommand> subcommand = Subcommands.find(words);
        if (subcommand.isPresent()) {
            Subcommand tool = subcommand.get();
            List<String> rest = words.subList(tool.words().split(" ").length, words.size());
            if (rest.contains("--help") || rest.contains("-h")) {
                return new Request.HelpOn(List.of(tool));
            }
            Given given = read(rest, tool.flags(), tool.operand());
            return new Request.Run(
                    tool, new Subcommand.Options(values(given.flags, tool.flags(), Map.of()), given.operand));
        }
        List<Flag> flags = FlagTable.all().toList();
        List<Subcommand> tools = words.isEmpty() ? List.of() : Subcommands.beginningWith(words.getFirst());
        if (words.contains("--help") || words.contains("-h")) {
            return tools.isEmpty() ? new Request.Help() : new Request.HelpOn(tools);
        }
        if (words.contains("--version")) {
            return new Request.Version();
        }
        if (!tools.isEmpty()) {
            throw usage("%s is the beginning of a tool's name; give one of: %s".formatted(
                    words.getFirst(), tools.stream().map(Subcommand::words).collect(Collectors.joining(", "))));
        }
        Map<String, String> values = values(read(words, flags, "").flags, flags, environment);
        checkTogether(values);
        return new Request.Serve(values);
    }

    /** What no flag can say alone, and can be told before anything is fetched. */
    private static void checkTogether(Map<String, String> values) {
        String port = values.get(ServerFlags.WEB_SERVER_PORT.key());
        if (!port.equals("0") && port.equals(values.get(ServerFlags.METRICS_PORT.key()))) {
            throw usage("--web-server-port and --metrics-port are both %s; give them different ports".formatted(port));
        }
        boolean searching = Boolean.parseBoolean(values.get(PolicyFlags.SEARCH_POLICY.key()));
        if (searching && !values.containsKey(PolicyFlags.ALGO_POLICY_DIR.key())) {
            throw usage("--search-policy is true without a folder for the policy; give --algo-policy-dir DIR too");
        }
        if (!searching && Boolean.parseBoolean(values.get(PolicyFlags.TERMINATE_AFTER_SEARCH.key()))) {
            throw usage("--terminate-after-search is true without a search; give --search-policy true too");
        }
    }

    private record Given(Map<Flag, String> flags, Optional<String> operand) {}

    private static Given read(List<String> arguments, List<Flag> flags, String operandLabel) {
        Map<Flag, String> given = new LinkedHashMap<>();
        Optional<String> operand = Optional.empty();
        for (int i = 0; i < arguments.size(); i++) {
            String argument = arguments.get(i);
            if (!argument.startsWith("-") && !operandLabel.isEmpty() && operand.isEmpty()) {
                operand = Optional.of(argument);
                continue;
            }
            int equals = argument.startsWith("--") ? argument.indexOf('=') : -1;
            String option = equals < 0 ? argument : argument.substring(0, equals);
            Flag flag = FlagTable.find(option, flags).orElseThrow(() -> unknown(option, flags));
            String value;
            if (equals >= 0) {
                value = argument.substring(equals + 1);
            } else if (i + 1 < arguments.size() && !isOption(arguments.get(i + 1))) {
                value = arguments.get(++i);
            } else if (flag.type() instanceof FlagType.Switch) {
                value = "true";
            } else {
                throw usage("%s needs a value; allowed: %s".formatted(option, flag.type().allowed()));
            }
            check(flag, value, option);
            if (given.put(flag, value) != null) {
                throw usage("%s is given twice".formatted(option));
            }
        }
        return new Given(given, operand);
    }

    private static boolean isOption(String argument) {
        return argument.startsWith("--") || argument.equals("-d") || argument.equals("-h");
    }

    private static Map<String, String> values(
            Map<Flag, String> given, List<Flag> flags, Map<String, String> environment) {
        Map<String, String> values = new LinkedHashMap<>();
        flags.forEach(flag -> {
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

    private static StartException unknown(String option, List<Flag> flags) {
        return option.startsWith("-")
                ? usage("unknown flag %s; %s--help lists all".formatted(
                        oneLine(option), FlagTable.nearest(option, flags).map("did you mean %s? "::formatted).orElse("")))
                : usage("unexpected word \"%s\"; flags begin with --, --help lists them and the tools".formatted(oneLine(option)));
    }

    private static String oneLine(String text) {
        String line = text.replaceAll("\\p{Cntrl}", "?");
        return line.length() > 100 ? line.substring(0, 100) + "..." : line;
    }

    private static StartException usage(String message) {
        return new StartException(ExitCode.USAGE, message);
    }
}
