package io.moebius.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The JSON header of a safetensors file, checked as a stranger's: {name: {dtype, shape, data_offsets}}, offsets in bytes
 * from the header's end (format: huggingface.co/docs/safetensors).
 */
final class SafetensorsHeader {

    private static final int MAX_DIMENSIONS = 8;

    /** @param end exclusive */
    record Entry(String name, String type, long[] shape, long begin, long end) {}

    private SafetensorsHeader() {}

    /**
     * @param file      for messages
     * @param dataBytes bytes behind the header, all of which the tensors must cover without overlap
     */
    static Map<String, Entry> parse(String file, byte[] json, long dataBytes) {
        Map<String, Entry> entries = new LinkedHashMap<>();
        JsonFactory strict = JsonFactory.builder()
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(8).build())
                .build();
        try (JsonParser parser = strict.createParser(json)) {
            expect(file, parser, JsonToken.START_OBJECT, "an object");
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                expect(file, parser, JsonToken.START_OBJECT, "an object for " + name);
                if (name.equals("__metadata__")) {
                    parser.skipChildren();
                } else {
                    entries.put(name, entry(file, name, parser));
                }
            }
            if (parser.nextToken() != null) {
                throw new CheckpointException(file + ": its header has text after the JSON object");
            }
        } catch (IOException e) {
            throw new CheckpointException(file + ": its header is not valid JSON: " + firstLine(e), e);
        }
        checkCoverage(file, entries, dataBytes);
        return entries;
    }

    private static Entry entry(String file, String name, JsonParser parser) throws IOException {
        String type = null;
        List<Long> shape = null;
        List<Long> offsets = null;
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String key = parser.currentName();
            parser.nextToken();
            switch (key) {
                case "dtype" -> type = parser.getText();
                case "shape" -> shape = longs(file, name, parser);
                case "data_offsets" -> offsets = longs(file, name, parser);
                default -> throw new CheckpointException(
                        "%s: tensor %s has the key %s; allowed: dtype, shape, data_offsets".formatted(file, name, key));
            }
        }
        if (type == null || shape == null || offsets == null || offsets.size() != 2) {
            throw new CheckpointException(
                    "%s: tensor %s needs dtype, shape and two data_offsets".formatted(file, name));
        }
        return check(file, new Entry(name, type, shape.stream().mapToLong(d -> d).toArray(), offsets.get(0), offsets.get(1)));
    }

    private static Entry check(String file, Entry entry) {
        int elementBytes = RawTensor.elementBytes(entry.type());
        if (elementBytes == 0) {
            throw new CheckpointException("%s: tensor %s has the unknown dtype %s".formatted(file, entry.name(), entry.type()));
        }
        long bytes = elementBytes;
        try {
            for (long dimension : entry.shape()) {
                bytes = Math.multiplyExact(bytes, dimension);
            }
        } catch (ArithmeticException e) {
            throw new CheckpointException("%s: the shape of tensor %s overflows".formatted(file, entry.name()), e);
        }
        if (entry.end() < entry.begin() || entry.end() - entry.begin() != bytes) {
            throw new CheckpointException("%s: tensor %s has offsets %d to %d; its shape and dtype need %d bytes"
                    .formatted(file, entry.name(), entry.begin(), entry.end(), bytes));
        }
        return entry;
    }

    private static List<Long> longs(String file, String name, JsonParser parser) throws IOException {
        List<Long> values = new ArrayList<>();
        if (parser.currentToken() != JsonToken.START_ARRAY) {
            throw new CheckpointException("%s: shape and data_offsets of tensor %s must be lists".formatted(file, name));
        }
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT
                    || parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
                    || parser.getLongValue() < 0
                    || values.size() == MAX_DIMENSIONS) {
                throw new CheckpointException("%s: tensor %s has %s in shape or data_offsets; allowed: at most %d whole numbers from 0"
                        .formatted(file, name, parser.getText(), MAX_DIMENSIONS));
            }
            values.add(parser.getLongValue());
        }
        return values;
    }

    private static void checkCoverage(String file, Map<String, Entry> entries, long dataBytes) {
        List<Entry> ordered = new ArrayList<>(entries.values());
        ordered.sort((a, b) -> a.begin() != b.begin() ? Long.compare(a.begin(), b.begin()) : Long.compare(a.end(), b.end()));
        long covered = 0;
        for (Entry entry : ordered) {
            if (entry.begin() != covered) {
                throw new CheckpointException("%s: tensor %s starts at byte %d of the data, expected %d: %s"
                        .formatted(file, entry.name(), entry.begin(), covered,
                                entry.begin() < covered ? "tensors overlap" : "there is a hole"));
            }
            covered = entry.end();
        }
        if (covered != dataBytes) {
            throw new CheckpointException("%s: its tensors cover %d bytes, the file has %d; it may be cut off"
                    .formatted(file, covered, dataBytes));
        }
    }

    private static void expect(String file, JsonParser parser, JsonToken token, String what) throws IOException {
        if (parser.nextToken() != token) {
            throw new CheckpointException(file + ": its header must be " + what);
        }
    }

    static String firstLine(IOException e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    }
}
