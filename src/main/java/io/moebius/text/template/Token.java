package io.moebius.text.template;

/** @param text of a string literal its value, else as written */
record Token(Kind kind, String text, int line) {

    enum Kind {
        TEXT,
        OPEN_OUTPUT,
        CLOSE_OUTPUT,
        OPEN_BLOCK,
        CLOSE_BLOCK,
        NAME,
        STRING,
        INTEGER,
        FLOAT,
        OPERATOR,
        END
    }

    boolean is(Kind wanted, String value) {
        return kind == wanted && text.equals(value);
    }
}
