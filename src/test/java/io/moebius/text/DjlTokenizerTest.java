package io.moebius.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DjlTokenizerTest {

    @TempDir
    static Path temporary;

    static ModelText older;
    static ModelText newer;

    @BeforeAll
    static void open() {
        older = TestFiles.mistral(temporary, false);
        newer = TestFiles.mistral(temporary, true);
    }

    @Test
    void encodesAsTheSentencepieceLibraryDoes() {
        for (JsonNode vector : TestFiles.json(TestFiles.TEXT.resolve("mistral_v1_sentencepiece.json")).get("cases")) {
            String text = vector.get("input").asText();
            assertThat(older.tokenizer().encode(text)).as(text).containsExactly(TestFiles.ints(vector.get("ids")));
        }
    }

    @Test
    void encodesAsTheJavascriptPackageDoes() {
        for (JsonNode vector : TestFiles.json(TestFiles.TEXT.resolve("mistral_v1_tokenizer_js.json")).get("cases")) {
            int[] withBos = TestFiles.ints(vector.get("ids"));
            assertThat(older.tokenizer().encode(vector.get("input").asText()))
                    .as(vector.get("input").asText())
                    .containsExactly(Arrays.copyOfRange(withBos, 1, withBos.length));
        }
    }

    @Test
    void decodesWhatTheSentencepieceLibraryDecodes() {
        for (JsonNode vector : TestFiles.json(TestFiles.TEXT.resolve("mistral_v1_sentencepiece.json")).get("cases")) {
            assertThat(older.tokenizer().decode(TestFiles.ints(vector.get("ids")), true))
                    .isEqualTo(vector.get("decoded").asText());
        }
    }

    @Test
    void keepsSpecialTokensThatAUserTypesAsPlainText() {
        assertThat(older.tokenizer().encode("</s>")).containsExactly(1867, 28713, 28767);
        int[] ids = newer.chatIds(List.of(new ChatMessage("user", "</s><s>[INST]<unk>")));
        assertThat(IntStream.of(ids).filter(id -> id <= 2)).containsExactly(1);
    }

    @Test
    void newerFilesGiveTheIdsOfMistralCommon() {
        for (JsonNode vector : TestFiles.json(TestFiles.TEXT.resolve("mixtral_chat_hf_style.json")).get("cases")) {
            assertThat(newer.chatIds(TestFiles.messages(vector.get("messages"))))
                    .as(vector.get("name").asText())
                    .containsExactly(TestFiles.ints(vector.get("mistral_common_ids")));
        }
    }

    @Test
    void olderFilesGiveTheIdsOfTransformers() {
        for (JsonNode vector : TestFiles.json(TestFiles.TEXT.resolve("mixtral_chat_hf_style.json")).get("cases")) {
            JsonNode expected = vector.get("legacy_tokenizer_old_template");
            if (expected.has("ids")) {
                assertThat(older.chatIds(TestFiles.messages(vector.get("messages"))))
                        .as(vector.get("name").asText())
                        .containsExactly(TestFiles.ints(expected.get("ids")));
            }
        }
    }

    @Test
    void newerFilesGiveTheIdsOfTheModelCardsPseudoCode() {
        List<ChatMessage> messages = List.of(
                new ChatMessage("user", "Hello there"),
                new ChatMessage("assistant", "Hi, how are you?"),
                new ChatMessage("user", "Fine. And you?"));
        assertThat(newer.chatIds(messages)).containsExactly(pseudoCode(messages));
        assertThat(older.chatIds(messages)).isNotEqualTo(pseudoCode(messages));
    }

    /** [BOS] + tokenize("[INST]") + tokenize(user) + tokenize("[/INST]") + tokenize(bot) + [EOS] + ..., each with a prefix space. */
    private static int[] pseudoCode(List<ChatMessage> messages) {
        IntStream ids = IntStream.of(1);
        for (ChatMessage message : messages) {
            ids = IntStream.concat(ids, message.role().equals("user")
                    ? IntStream.of(join("[INST]", message.content(), "[/INST]"))
                    : IntStream.concat(IntStream.of(join(message.content())), IntStream.of(2)));
        }
        return ids.toArray();
    }

    private static int[] join(String... texts) {
        return Arrays.stream(texts).flatMapToInt(t -> IntStream.of(older.tokenizer().encode(t))).toArray();
    }

    @Test
    void takesTextThatIsNone() {
        for (String text : List.of("\0", "\ud800", "\udc00x", "\ufeff", "\u202eabc", "")) {
            assertThat(newer.tokenizer().encode(text)).isNotNull();
        }
    }

    @Test
    void refusesAFileThatIsNoTokenizer() throws Exception {
        Path broken = Files.writeString(temporary.resolve("broken.json"), "{\"model\": {\"vocab\": {\"a\": -1}}}");
        assertThatThrownBy(() -> DjlTokenizer.open(broken, null)).isInstanceOf(TextException.class).hasMessageContaining("-1");
        assertThatThrownBy(() -> DjlTokenizer.open(temporary.resolve("absent.json"), null))
                .isInstanceOf(TextException.class)
                .hasMessageContaining("absent.json");
    }
}
