package io.moebius.text.template;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/** tojson as transformers renders it: Python's json.dumps with ensure_ascii off and keys in their order. */
final class Json {

    private final StringBuilder out = new StringBuilder();
    private final int indent;

    /** @param indent spaces per level, -1 for one line */
    private Json(int indent) {
        this.indent = indent;
    }

    static String of(Object value, int indent) {
        Json json = new Json(indent);
        json.write(value, 0);
        return json.out.toString();
    }

    private void write(Object value, int level) {
        switch (value) {
            case null -> out.append("null");
            case String s -> quote(s);
            case Boolean b -> out.append(b);
            case Long n -> out.append(n);
            case Double d -> out.append(d == Math.rint(d) && Math.abs(d) < 1e16 ? String.format(Locale.ROOT, "%.1f", d) : d.toString());
            case List<?> list -> {
                out.append('[');
                String separator = "";
                for (Object item : list) {
                    out.append(separator);
                    newline(level + 1);
                    write(item, level + 1);
                    separator = indent < 0 ? ", " : ",";
                }
                end(list.isEmpty(), level, ']');
            }
            case Map<?, ?> map -> {
                out.append('{');
                String separator = "";
                for (Map.Entry<?, ?> entry : map.entrySet()) {
                    out.append(separator);
                    newline(level + 1);
                    quote(String.valueOf(entry.getKey()));
                    out.append(": ");
                    write(entry.getValue(), level + 1);
                    separator = indent < 0 ? ", " : ",";
                }
                end(map.isEmpty(), level, '}');
            }
            default -> throw new TemplateException("tojson cannot write " + Values.type(value));
        }
    }

    private void newline(int level) {
        if (indent >= 0) {
            out.append('\n').repeat(' ', indent * level);
        }
    }

    private void end(boolean empty, int level, char bracket) {
        if (!empty) {
            newline(level);
        }
        out.append(bracket);
    }

    private void quote(String s) {
        out.append('"');
        for (char c : s.toCharArray()) {
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                default -> {
                    if (c < 0x20) {
                        out.append("\\u%04x".formatted((int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
