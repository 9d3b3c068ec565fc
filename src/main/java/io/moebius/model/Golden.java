package io.moebius.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * What an independent float64 implementation computed for one prompt in one mode.
 *
 * @param logits     full logits by position, where they were stored
 * @param top        the five largest logits by position, token to value, where they were stored
 * @param greedySame greedy tokens that stay the same when the same arithmetic runs in float32
 */
public record Golden(
        int id,
        int[] prompt,
        Map<Integer, float[]> logits,
        Map<Integer, Map<Integer, Float>> top,
        int[] greedy,
        int greedySame) {

    /**
     * @param mode w8a16 for unquantised activations, w8a8 for quantised ones
     * @throws UncheckedIOException if the folder has no golden.json and golden.safetensors
     */
    public static List<Golden> read(Path folder, String mode) {
        try {
            JsonNode json = new ObjectMapper().readTree(folder.resolve("golden.json").toFile());
            ByteBuffer tensors = ByteBuffer.wrap(Files.readAllBytes(folder.resolve("golden.safetensors")))
                    .order(ByteOrder.LITTLE_ENDIAN);
            byte[] header = new byte[Math.toIntExact(tensors.getLong())];
            tensors.get(header);
            JsonNode index = new ObjectMapper().readTree(header);
            List<Golden> goldens = new ArrayList<>();
            for (JsonNode prompt : json.get("prompts")) {
                JsonNode result = prompt.get("modes").get(mode);
                if (result != null) {
                    goldens.add(read(prompt, result, mode, index, tensors.slice().order(ByteOrder.LITTLE_ENDIAN)));
                }
            }
            return goldens;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Golden read(JsonNode prompt, JsonNode result, String mode, JsonNode index, ByteBuffer data) {
        int[] ids = ints(prompt.get("ids"));
        String prefix = "p" + prompt.get("id").intValue() + "." + mode + ".";
        Map<Integer, float[]> logits = new TreeMap<>();
        JsonNode all = index.get(prefix + "logits");
        if (all != null) {
            int vocabulary = all.get("shape").get(1).intValue();
            for (int p = 0; p < all.get("shape").get(0).intValue(); p++) {
                logits.put(p, floats(all, data, p * vocabulary, vocabulary));
            }
        }
        JsonNode last = index.get(prefix + "logits_last");
        if (last != null) {
            logits.put(ids.length - 1, floats(last, data, 0, last.get("shape").get(0).intValue()));
        }
        int[] greedy = ints(result.get("greedy_ids"));
        int same = result.has("greedy_same_float32")
                ? result.get("greedy_same_float32").intValue()
                : result.get("same_in_float32").booleanValue() ? greedy.length : 0;
        // Published long continuations were compared in float32 over their first 48 tokens only.
        return new Golden(
                prompt.get("id").intValue(), ids, logits, top(result), same == 48 ? first(greedy, 48) : greedy, same);
    }

    private static int[] first(int[] ids, int count) {
        return IntStream.of(ids).limit(count).toArray();
    }

    private static Map<Integer, Map<Integer, Float>> top(JsonNode result) {
        Map<Integer, Map<Integer, Float>> top = new TreeMap<>();
        for (JsonNode position : result.path("positions")) {
            Map<Integer, Float> largest = new TreeMap<>();
            position.get("top5").forEach(pair -> largest.put(pair.get(0).intValue(), pair.get(1).floatValue()));
            top.put(position.get("pos").intValue(), largest);
        }
        return top;
    }

    private static float[] floats(JsonNode tensor, ByteBuffer data, int from, int count) {
        float[] values = new float[count];
        data.duplicate().order(ByteOrder.LITTLE_ENDIAN)
                .position(tensor.get("data_offsets").get(0).intValue() + from * Float.BYTES)
                .asFloatBuffer()
                .get(values);
        return values;
    }

    private static int[] ints(JsonNode array) {
        int[] values = new int[array.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = array.get(i).intValue();
        }
        return values;
    }

    /** By position with stored logits: the largest difference of {@code logits} [position, vocabulary], over the expected root mean square. */
    public List<Double> differences(float[][] logits) {
        return this.logits.entrySet().stream().map(entry -> difference(entry.getValue(), logits[entry.getKey()])).toList();
    }

    private static double difference(float[] expected, float[] actual) {
        double squares = 0;
        for (float value : expected) {
            squares += value * value;
        }
        return IntStream.range(0, expected.length).mapToDouble(i -> Math.abs(expected[i] - actual[i])).max().orElseThrow()
                / Math.sqrt(squares / expected.length);
    }
}
