package io.moebius.launch;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** All flags by topic. */
final class FlagTable {

    static final Map<String, List<Flag>> TOPICS = topics();

    private FlagTable() {}

    private static Map<String, List<Flag>> topics() {
        Map<String, List<Flag>> topics = new LinkedHashMap<>();
        topics.put("Server", ServerFlags.ALL);
        topics.put("Model", ModelFlags.ALL);
        topics.put("License", LicenseFlags.ALL);
        topics.put("Engine", EngineFlags.ALL);
        topics.put("Policy", PolicyFlags.ALL);
        return topics;
    }

    static Stream<Flag> all() {
        return TOPICS.values().stream().flatMap(List::stream);
    }

    static Optional<Flag> find(String option, List<Flag> flags) {
        String name = option.equals("-d") ? EngineFlags.NUM_DEVICES.option() : option;
        return flags.stream().filter(flag -> flag.option().equals(name)).findFirst();
    }

    /** The flag whose name takes the fewest changes to become {@code option}, if no more than half of it. */
    static Optional<String> nearest(String option, List<Flag> flags) {
        return Stream.concat(flags.stream().map(Flag::option), Stream.of("--help", "--version"))
                .min(Comparator.comparingInt(known -> distance(known, option)))
                .filter(known -> 2 * distance(known, option) <= option.length());
    }

    /** Levenshtein's distance. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int above = row[j];
                int change = a.charAt(i - 1) == b.charAt(j - 1) ? diagonal : diagonal + 1;
                row[j] = Math.min(change, Math.min(above, row[j - 1]) + 1);
                diagonal = above;
            }
        }
        return row[b.length()];
    }
}
