package io.moebius.license;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Strict JSON: UTF-8, no name twice, nothing after the value. */
final class Json {

    private static final ObjectMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(8).build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private static final int MOST_BYTES = 1 << 20;

    private Json() {}

    /** @throws LicenseException MALFORMED, without a word of the input */
    static JsonNode read(byte[] bytes) throws LicenseException {
        try {
            return MAPPER.readTree(StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
        } catch (CharacterCodingException | JsonProcessingException e) {
            throw malformed();
        }
    }

    /** All that comes; of more than any file of keys or list has, the beginning, which is no JSON. */
    static byte[] bytes(InputStream in) throws IOException {
        try (in) {
            return in.readNBytes(MOST_BYTES);
        }
    }

    static LicenseException malformed() {
        return new LicenseException(
                LicenseException.Kind.MALFORMED,
                "the container secret is damaged: it is not of the form moebius1.HEADER.CLAIMS.SIGNATURE; copy it again, whole");
    }
}
