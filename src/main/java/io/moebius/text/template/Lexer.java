package io.moebius.text.template;

import io.moebius.text.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;

/** Cuts a template into text and tags, with trim_blocks (a newline after a block goes) and lstrip_blocks (spaces before one too). */
final class Lexer {

    private static final List<String> OPERATORS = List.of(
            "**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")", "[", "]", "{", "}",
            ",", ".", ":", "|");

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int at;
    private int line = 1;

    private Lexer(String source) {
        String normal = source.replace("\r\n", "\n").replace('\r', '\n');
        this.source = normal.endsWith("\n") ? normal.substring(0, normal.length() - 1) : normal;
    }

    static List<Token> tokens(String source) {
        return new Lexer(source).run();
    }

    private List<Token> run() {
        while (at < source.length()) {
            int tag = nextTag();
            text(tag);
            if (tag < source.length()) {
                tag();
            }
        }
        tokens.add(new Token(Kind.END, "", line));
        return tokens;
    }

    private int nextTag() {
        for (int i = at; i + 1 < source.length(); i++) {
            if (source.charAt(i) == '{' && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
                return i;
            }
        }
        return source.length();
    }

    /** The text up to a tag, less what the tag's opening takes away. */
    private void text(int end) {
        String text = source.substring(at, end);
        if (end < source.length()) {
            char mark = end + 2 < source.length() ? source.charAt(end + 2) : ' ';
            if (mark == '-') {
                text = text.stripTrailing();
            } else if (mark != '+' && source.charAt(end + 1) != '{') {
                text = withoutIndent(text);
            }
        }
        if (!text.isEmpty()) {
            tokens.add(new Token(Kind.TEXT, text, line));
        }
        advance(end);
    }

    private String withoutIndent(String text) {
        int lineStart = text.lastIndexOf('\n') + 1;
        boolean atLineStart = lineStart > 0 || at == 0 || source.charAt(at - 1) == '\n';
        return atLineStart && text.substring(lineStart).isBlank() ? text.substring(0, lineStart) : text;
    }

    private void tag() {
        switch (source.charAt(at + 1)) {
            case '#' -> comment();
            case '{' -> inside(Kind.OPEN_OUTPUT, Kind.CLOSE_OUTPUT, "}}");
            default -> inside(Kind.OPEN_BLOCK, Kind.CLOSE_BLOCK, "%}");
        }
    }

    private void comment() {
        int end = source.indexOf("#}", at + 2);
        if (end < 0) {
            throw TemplateException.at(line, "a comment is not closed");
        }
        close(end, "#}", true);
    }

    private void inside(Kind open, Kind close, String mark) {
        tokens.add(new Token(open, "", line));
        advance(at + 2);
        if (at < source.length() && (source.charAt(at) == '-' || source.charAt(at) == '+')) {
            advance(at + 1);
        }
        int depth = 0;
        while (true) {
            while (at < source.length() && Character.isWhitespace(source.charAt(at))) {
                advance(at + 1);
            }
            if (at >= source.length()) {
                throw TemplateException.at(line, "a tag is not closed; expected " + mark);
            }
            boolean marked = "-+".indexOf(source.charAt(at)) >= 0 && source.startsWith(mark, at + 1);
            if (marked || depth == 0 && source.startsWith(mark, at)) {
                tokens.add(new Token(close, "", line));
                close(marked ? at + 1 : at, mark, close == Kind.CLOSE_BLOCK);
                return;
            }
            Token token = token();
            if (token.kind() == Kind.OPERATOR) {
                depth += "([{".contains(token.text()) ? 1 : ")]}".contains(token.text()) ? -1 : 0;
            }
            tokens.add(token);
        }
    }

    /** Moves behind a tag's end, and behind the white space that it takes away. */
    private void close(int end, String mark, boolean trimsNewline) {
        boolean strips = source.charAt(end - 1) == '-';
        boolean keeps = source.charAt(end - 1) == '+';
        int next = end + mark.length();
        if (strips) {
            while (next < source.length() && Character.isWhitespace(source.charAt(next))) {
                next++;
            }
        } else if (trimsNewline && !keeps && next < source.length() && source.charAt(next) == '\n') {
            next++;
        }
        advance(next);
    }

    private Token token() {
        char c = source.charAt(at);
        if (c == '\'' || c == '"') {
            return string(c);
        }
        if (Character.isDigit(c)) {
            return number();
        }
        if (Character.isLetter(c) || c == '_') {
            int end = at;
            while (end < source.length() && (Character.isLetterOrDigit(source.charAt(end)) || source.charAt(end) == '_')) {
                end++;
            }
            return take(Kind.NAME, end);
        }
        for (String operator : OPERATORS) {
            if (source.startsWith(operator, at)) {
                return take(Kind.OPERATOR, at + operator.length());
            }
        }
        throw TemplateException.at(line, "unexpected character '" + c + "'");
    }

    private Token number() {
        int end = at;
        while (end < source.length() && Character.isDigit(source.charAt(end))) {
            end++;
        }
        boolean fraction = end + 1 < source.length()
                && source.charAt(end) == '.'
                && Character.isDigit(source.charAt(end + 1));
        if (fraction) {
            end++;
            while (end < source.length() && Character.isDigit(source.charAt(end))) {
                end++;
            }
        }
        if (end - at > 18) {
            throw TemplateException.at(line, "a number has more than 18 digits");
        }
        return take(fraction ? Kind.FLOAT : Kind.INTEGER, end);
    }

    private Token string(char quote) {
        StringBuilder value = new StringBuilder();
        int start = line;
        int i = at + 1;
        for (; i < source.length() && source.charAt(i) != quote; i++) {
            char c = source.charAt(i);
            if (c == '\\' && i + 1 < source.length()) {
                i++;
                i = escape(i, value);
            } else {
                value.append(c);
            }
        }
        if (i >= source.length()) {
            throw TemplateException.at(start, "a string is not closed");
        }
        advance(i + 1);
        return new Token(Kind.STRING, value.toString(), start);
    }

    private int escape(int i, StringBuilder value) {
        char c = source.charAt(i);
        switch (c) {
            case 'n' -> value.append('\n');
            case 't' -> value.append('\t');
            case 'r' -> value.append('\r');
            case '\\', '\'', '"' -> value.append(c);
            case 'u', 'x' -> {
                int digits = c == 'u' ? 4 : 2;
                try {
                    value.append((char) Integer.parseInt(source.substring(i + 1, i + 1 + digits), 16));
                } catch (RuntimeException e) {
                    throw TemplateException.at(line, "a \\" + c + " escape needs " + digits + " hexadecimal digits");
                }
                return i + digits;
            }
            default -> value.append('\\').append(c);
        }
        return i;
    }

    private Token take(Kind kind, int end) {
        Token token = new Token(kind, source.substring(at, end), line);
        advance(end);
        return token;
    }

    private void advance(int to) {
        for (; at < to; at++) {
            if (source.charAt(at) == '\n') {
                line++;
            }
        }
    }
}
