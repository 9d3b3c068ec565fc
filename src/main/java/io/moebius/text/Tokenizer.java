package io.moebius.text;

/** Text to ids and back. Thread-safe. */
public interface Tokenizer extends AutoCloseable {

    /** Ids of text that a user wrote: the names of special tokens in it are plain text; no BOS or EOS is added. */
    int[] encode(String text);

    /** Ids of a rendered chat template: the special tokens that the template wrote become their ids, nothing is added. */
    int[] encodeTemplate(String text);

    /** Text of ids as a whole; special tokens are left out where {@code skipSpecialTokens}. */
    String decode(int[] ids, boolean skipSpecialTokens);

    /** Bytes that one id stands for, also where they are no whole character; of a special token its name. */
    byte[] bytes(int id);

    /** Whether only templates may write this id. */
    boolean isSpecial(int id);

    /** Whether decoding drops one space at the start of a whole text. */
    boolean stripsFirstSpace();

    /** Ids run from 0 to vocabulary() - 1. */
    int vocabulary();

    /** -1 where the tokenizer has none. */
    int bosToken();

    @Override
    void close();
}
