package io.moebius.api;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.type.LogicalType;
import jakarta.inject.Singleton;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.List;

/** Reads request bodies without guessing: no coercion, no duplicate keys, no text after the object. */
@Singleton
final class StrictJson {

    private static final int MAX_DEPTH = 64;
    private static final int MOST_SHOWN = 40;

    private final ObjectMapper mapper = mapper();

    /** @throws ApiException 400 unless the body is one JSON object in UTF-8 */
    ObjectNode object(byte[] body) {
        if (body == null || body.length == 0) {
            throw ApiException.invalid(null, "the body is empty; it must be a JSON object");
        }
        JsonNode node;
        // Decoded as it is parsed: its text as a whole would be three times the body.
        try (Reader text = new InputStreamReader(new ByteArrayInputStream(body), StandardCharsets.UTF_8.newDecoder());
                JsonParser parser = new BoundedParser(mapper.createParser(text))) {
            node = mapper.reader().readTree(parser);
        } catch (CharacterCodingException e) {
            throw ApiException.invalid(null, "the body is not valid UTF-8");
        } catch (JsonProcessingException e) {
            throw ApiException.invalid(null, "the body is not valid JSON: " + where(e));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (!(node instanceof ObjectNode object)) {
            throw ApiException.invalid(null, "the body must be a JSON object");
        }
        return object;
    }

    /** @throws ApiException 400 naming the field whose type is wrong */
    <T> T read(ObjectNode body, Class<T> type) {
        try {
            return mapper.treeToValue(body, type);
        } catch (JsonMappingException e) {
            String param = path(e.getPath());
            JsonNode value = value(body, e.getPath());
            // Numbers beyond 32 bits are no mismatch, and come without the type that was expected.
            Class<?> expected = e instanceof MismatchedInputException mismatch ? mismatch.getTargetType() : null;
            throw ApiException.invalid(param, "%s is %s; it must be %s".formatted(param, shown(value), allowed(expected, value)));
        } catch (JsonProcessingException e) {
            throw ApiException.invalid(null, "the body can't be read as a request; see the API's documentation");
        }
    }

    private static String allowed(Class<?> expected, JsonNode value) {
        if (expected == null || expected == Integer.class || expected == int.class) {
            return value.isIntegralNumber() ? "from %d to %d".formatted(Integer.MIN_VALUE, Integer.MAX_VALUE)
                    : value.isNumber() ? "a whole number, without a decimal point" : "a whole number";
        }
        if (expected == Double.class || expected == double.class) {
            return "a finite number";
        }
        if (expected == Boolean.class || expected == boolean.class) {
            return "true or false";
        }
        if (expected == String.class) {
            return "a string";
        }
        return Collection.class.isAssignableFrom(expected) ? "a list" : "an object";
    }

    private static JsonNode value(JsonNode body, List<JsonMappingException.Reference> path) {
        JsonNode value = body;
        for (JsonMappingException.Reference step : path) {
            value = step.getFieldName() == null ? value.path(step.getIndex()) : value.path(step.getFieldName());
        }
        return value;
    }

    /** As the client wrote it, where that is short. */
    private static String shown(JsonNode value) {
        if (value.isContainerNode()) {
            return value.isArray() ? "a list" : "an object";
        }
        int characters = value.asText().length();
        return characters <= MOST_SHOWN ? value.toString() : "%s of %d characters".formatted(value.isTextual() ? "a string" : "a number", characters);
    }

    private static String path(List<JsonMappingException.Reference> path) {
        StringBuilder text = new StringBuilder();
        for (JsonMappingException.Reference step : path) {
            if (step.getFieldName() == null) {
                text.append('[').append(step.getIndex()).append(']');
            } else {
                text.append(text.isEmpty() ? "" : ".").append(step.getFieldName());
            }
        }
        return text.isEmpty() ? null : text.toString();
    }

    private static String where(JsonProcessingException e) {
        return e.getLocation() == null
                ? firstLine(e)
                : "%s (line %d, column %d)"
                        .formatted(firstLine(e), e.getLocation().getLineNr(), e.getLocation().getColumnNr());
    }

    private static String firstLine(JsonProcessingException e) {
        String line = e.getOriginalMessage().lines().findFirst().orElse("unreadable").replaceAll("\\p{Cntrl}", " ")
                .replaceAll("\\[Source: [^;]*; line: (\\d+), column: (\\d+)]", "line $1, column $2");
        return line.substring(0, Math.min(line.length(), 200));
    }

    private static ObjectMapper mapper() {
        JsonFactory factory = JsonFactory.builder()
                // A native executable never forgets an interned string, and clients choose the names.
                .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
                .streamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(MAX_DEPTH)
                        .maxStringLength(Integer.MAX_VALUE)
                        .build())
                .build();
        JsonMapper mapper = JsonMapper.builder(factory)
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
                .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
                .build();
        mapper.coercionConfigFor(LogicalType.Textual)
                .setCoercion(CoercionInputShape.Integer, CoercionAction.Fail)
                .setCoercion(CoercionInputShape.Float, CoercionAction.Fail)
                .setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail);
        return mapper;
    }
}
