package io.moebius.text.template;

/** A template that cannot be parsed or rendered, or one that refuses its input by raise_exception; one line. */
public final class TemplateException extends RuntimeException {

    public TemplateException(String message) {
        super(message);
    }

    static TemplateException at(int line, String message) {
        return new TemplateException("chat template, line " + line + ": " + message);
    }
}
