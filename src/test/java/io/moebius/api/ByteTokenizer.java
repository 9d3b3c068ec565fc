package io.moebius.api;

import io.moebius.text.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.IntStream;

/** One token per byte after unk, BOS and EOS. */
final class ByteTokenizer implements Tokenizer {

    static final int BOS = 1;
    static final int EOS = 2;
    static final int FIRST_BYTE = 3;

    static int[] ids(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return IntStream.range(0, bytes.length).map(i -> FIRST_BYTE + (bytes[i] & 0xff)).toArray();
    }

    @Override
    public int[] encode(String text) {
        return ids(text);
    }

    @Override
    public int[] encodeTemplate(String text) {
        return ids(text);
    }

    @Override
    public String decode(int[] ids, boolean skipSpecialTokens) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Arrays.stream(ids)
                .filter(id -> id >= FIRST_BYTE || !skipSpecialTokens)
                .forEach(id -> bytes.writeBytes(bytes(id)));
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Override
    public byte[] bytes(int id) {
        return switch (id) {
            case 0 -> "<unk>".getBytes(StandardCharsets.UTF_8);
            case BOS -> "<s>".getBytes(StandardCharsets.UTF_8);
            case EOS -> "</s>".getBytes(StandardCharsets.UTF_8);
            default -> new byte[] {(byte) (id - FIRST_BYTE)};
        };
    }

    @Override
    public boolean isSpecial(int id) {
        return id < FIRST_BYTE;
    }

    @Override
    public boolean stripsFirstSpace() {
        return false;
    }

    @Override
    public int vocabulary() {
        return FIRST_BYTE + 256;
    }

    @Override
    public int bosToken() {
        return BOS;
    }

    @Override
    public void close() {}
}
