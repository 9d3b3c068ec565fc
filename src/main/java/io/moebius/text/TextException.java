package io.moebius.text;

/** Tokenizer or chat-template files that cannot be used; one line that names the file. */
public final class TextException extends RuntimeException {

    public TextException(String message) {
        super(message);
    }

    public TextException(String message, Throwable cause) {
        super(message, cause);
    }
}
