package io.moebius.text.template;

/** What one rendering may cost: steps bound its time, characters its memory, depth its stack. */
final class Budget {

    private static final int MAX_STEPS = 2_000_000;
    private static final int MAX_CHARACTERS = 64 << 20;
    private static final int MAX_DEPTH = 200;

    private int steps;
    private long characters;
    private int depth;

    void step(int line) {
        if (++steps > MAX_STEPS) {
            throw TemplateException.at(line, "rendering takes more than " + MAX_STEPS + " steps");
        }
    }

    /** Counts text that was printed or put together. */
    void characters(long count, int line) {
        characters += count;
        if (characters > MAX_CHARACTERS) {
            throw TemplateException.at(line, "rendering makes more than " + MAX_CHARACTERS + " characters");
        }
    }

    void enter(int line) {
        if (++depth > MAX_DEPTH) {
            throw TemplateException.at(line, "macros call each other more than " + MAX_DEPTH + " deep");
        }
    }

    void leave() {
        depth--;
    }
}
