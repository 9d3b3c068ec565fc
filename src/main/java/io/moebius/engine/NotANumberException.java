package io.moebius.engine;

/** The model's logits held a NaN or an infinity. */
public final class NotANumberException extends RuntimeException {

    /** @param position of the token that was to be chosen */
    public NotANumberException(int position) {
        super("the model's logits for position " + position + " hold a value that is not a finite number");
    }
}
