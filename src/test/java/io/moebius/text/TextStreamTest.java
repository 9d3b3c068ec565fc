package io.moebius.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextStreamTest {

    @TempDir
    static Path temporary;

    static Tokenizer tokenizer;

    @BeforeAll
    static void open() {
        tokenizer = TestFiles.mistral(temporary, true).tokenizer();
    }

    private static List<String> pieces(String text, String... stops) {
        TextStream stream = new TextStream(tokenizer, List.of(stops), true, true);
        List<String> pieces = new ArrayList<>();
        for (int id : tokenizer.encode(text)) {
            pieces.add(stream.add(id));
        }
        pieces.add(stream.finish());
        return pieces;
    }

    @Test
    void neverSplitsACharacter() {
        String text = "naïve 😀🦙 汉字 עברית \u0001 end";
        assertThat(pieces(text)).noneMatch(piece -> piece.contains("\ufffd"));
        assertThat(String.join("", pieces(text))).isEqualTo(text);
    }

    @Test
    void addsUpToTheTextForRandomCharacters() {
        Random random = new Random(1);
        for (int round = 0; round < 200; round++) {
            String text = random.ints(20, 1, 0x1ffff)
                    .filter(c -> c < 0xd800 || c > 0xdfff)
                    .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                    .toString();
            assertThat(String.join("", pieces(text))).isEqualTo(text);
        }
    }

    @Test
    void stopsBeforeAStopStringAcrossTokens() {
        assertThat(String.join("", pieces("The capital of France is Paris.", "ance is P"))).isEqualTo("The capital of Fr");
    }

    @Test
    void showsWhatOnlyLookedLikeAStopString() {
        assertThat(String.join("", pieces("a stop sto", "stopped", "sto!"))).isEqualTo("a stop sto");
    }

    @Test
    void takesTheEarliestOfSeveralStops() {
        assertThat(String.join("", pieces("one two three", "three", "two"))).isEqualTo("one ");
    }

    @Test
    void keepsTheFirstSpaceOfAContinuation() {
        TextStream stream = new TextStream(tokenizer, List.of(), true, false);
        assertThat(stream.add(tokenizer.encode("Paris")[0]) + stream.finish()).isEqualTo(" Paris");
    }

    @Test
    void showsHalfACharacterAtTheEndAsReplacement() {
        TextStream stream = new TextStream(tokenizer, List.of(), true, true);
        int[] emoji = tokenizer.encode("🦙");
        StringBuilder text = new StringBuilder();
        for (int i = 0; i + 1 < emoji.length; i++) {
            text.append(stream.add(emoji[i]));
        }
        assertThat(text + stream.finish()).isEqualTo("\ufffd");
    }
}
