package io.moebius.policy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Lines for people, in columns as wide as their texts; a column's heading that begins with a blank aligns it to the right. */
final class Table {

    private final List<List<String>> rows = new ArrayList<>();

    Table(String... headings) {
        row((Object[]) headings);
    }

    void row(Object... cells) {
        rows.add(Arrays.stream(cells).map(Object::toString).toList());
    }

    boolean isEmpty() {
        return rows.size() == 1;
    }

    @Override
    public String toString() {
        List<String> headings = rows.getFirst();
        int[] widths = IntStream.range(0, headings.size())
                .map(column -> rows.stream().mapToInt(row -> row.get(column).strip().length()).max().orElse(0))
                .toArray();
        return rows.stream()
                .map(row -> IntStream.range(0, widths.length)
                        .mapToObj(column -> padded(row.get(column).strip(), widths[column], headings.get(column).startsWith(" ")))
                        .collect(Collectors.joining("  ", "  ", ""))
                        .stripTrailing() + "\n")
                .collect(Collectors.joining());
    }

    private static String padded(String text, int width, boolean right) {
        String blanks = " ".repeat(width - text.length());
        return right ? blanks + text : text + blanks;
    }
}
