package io.moebius.launch;

import java.util.List;
import java.util.Map;

/** The flag table as text for a terminal and as docs/flags.md. */
final class Help {

    private static final int WIDTH = 80;

    private Help() {}

    static String forTerminal() {
        StringBuilder out = new StringBuilder("""
                moebius [FLAGS]
                      Serves an FP8 mixture-of-experts model behind an OpenAI-compatible API.
                      Every flag has a twin in the environment: --web-server-port is
                      MOEBIUS_WEB_SERVER_PORT.
                """);
        for (Map.Entry<String, List<Flag>> topic : FlagTable.TOPICS.entrySet()) {
            out.append('\n').append(topic.getKey()).append('\n');
            topic.getValue().forEach(flag -> out.append(entry(flag)));
        }
        out.append("\nTools (moebius TOOL --help says more)\n");
        Subcommands.ALL.forEach(tool -> out.append("  ").append(tool.usage()).append('\n').append(wrapped(tool.description())));
        return out.append("""

                Other
                  --help, --version

                Examples
                  moebius
                      serves the built-in demo model on port 8000
                  moebius --hf-model-name FriendliAI/Mixtral-8x7B-Instruct-v0.1-fp8
                      serves a model of the Hugging Face Hub, with a container secret
                  curl localhost:8000/v1/chat/completions -H 'Content-Type: application/json' \\
                    -d '{"messages": [{"role": "user", "content": "Hello!"}]}'
                """).toString();
    }

    static String on(Subcommand tool) {
        StringBuilder out = new StringBuilder("moebius %s%s\n".formatted(tool.usage(), tool.flags().isEmpty() ? "" : " [FLAGS]"));
        out.append(wrapped(tool.description()));
        tool.flags().forEach(flag -> out.append(entry(flag)));
        return out.toString();
    }

    private static String entry(Flag flag) {
        return "  " + flag.option() + " " + flag.type().placeholder() + "\n" + wrapped(description(flag));
    }

    private static String description(Flag flag) {
        String later = flag.idle() == null ? "" : " Not supported yet.";
        return flag.description() + later + (flag.defaultValue() == null ? "" : " Default: " + flag.defaultValue() + ".");
    }

    private static String wrapped(String text) {
        StringBuilder out = new StringBuilder();
        StringBuilder line = new StringBuilder("     ");
        for (String word : text.split(" ")) {
            if (line.length() + 1 + word.length() > WIDTH) {
                out.append(line).append('\n');
                line = new StringBuilder("     ");
            }
            line.append(' ').append(word);
        }
        return out.append(line).append('\n').toString();
    }

    static String flagsPage() {
        StringBuilder out = new StringBuilder("""
                # Flags

                Made from the program's flag table. The command line comes before the environment, the environment before the default.
                A wrong value ends the program with exit code 2 and one line. A value follows after a space or `=`; a flag of true and false
                alone means true; none may be given twice. `--help` (`-h`), also after a tool's name, and `--version` print and end.
                """);
        for (Map.Entry<String, List<Flag>> topic : FlagTable.TOPICS.entrySet()) {
            out.append("\n## ").append(topic.getKey()).append("\n\n| flag | values | default | environment | meaning |\n| --- | --- | --- | --- | --- |\n");
            for (Flag flag : topic.getValue()) {
                String later = flag.idle() == null ? "" : " **Not supported yet**: any other value than the default is refused.";
                out.append("| `%s` | %s | %s | `%s` | %s%s |\n".formatted(
                        flag.option(), values(flag), defaultValue(flag), flag.variable(), flag.description(), later));
            }
        }
        out.append("\n# Tools\n\nA tool does one thing and ends: `moebius TOOL FLAGS`. Its flags have no twins in the environment.\n");
        for (Subcommand tool : Subcommands.ALL) {
            out.append("\n## %s\n\n%s\n".formatted(tool.usage(), tool.description()));
            if (!tool.flags().isEmpty()) {
                out.append("\n| flag | values | default | meaning |\n| --- | --- | --- | --- |\n");
            }
            tool.flags().forEach(flag -> out.append("| `%s` | %s | %s | %s |\n".formatted(
                    flag.option(), values(flag), defaultValue(flag), flag.description())));
        }
        return out.toString();
    }

    private static String defaultValue(Flag flag) {
        return flag.defaultValue() == null ? "" : "`" + flag.defaultValue() + "`";
    }

    private static String values(Flag flag) {
        return switch (flag.type()) {
            case FlagType.Whole(long least, long most) -> least + " to " + most;
            case FlagType.Text(String label) -> label;
            case FlagType.ReadableFile readable -> readable.allowed();
            default -> flag.type().placeholder().replace("|", ", ");
        };
    }

    static String exitCodesPage() {
        StringBuilder out = new StringBuilder("# Exit codes\n\nA failure is one line on stderr, beginning with `moebius: `, and one of these.\n\n| code | meaning |\n| --- | --- |\n");
        for (ExitCode code : ExitCode.values()) {
            out.append("| %d | %s |\n".formatted(code.status(), code.meaning()));
        }
        return out.append("| 143, 130 | a second SIGTERM or SIGINT ended the program at once |\n").toString();
    }
}
