package io.moebius.engine;

/** The model's logits held a NaN or an infinity. */
public final class NotANumberException extends RuntimeException {

    public NotANumberException(int position) {
        super("the model computed a value that is not a number at position " + position);
    }
}
