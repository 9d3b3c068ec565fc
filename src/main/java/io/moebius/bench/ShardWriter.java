package io.moebius.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes planned tensors into safetensors shards of a bounded size with their index, a piece at a time. */
final class ShardWriter {

    private static final int ALIGNMENT = 64;

    private final Path folder;
    private final RandomValues values;
    private final ObjectMapper mapper = new ObjectMapper();

    ShardWriter(Path folder, RandomValues values) {
        this.folder = folder;
        this.values = values;
    }

    /** @param shardBytes most bytes of a shard, but a tensor is never split */
    void write(List<PlannedTensor> tensors, long shardBytes) throws IOException {
        List<List<PlannedTensor>> shards = shards(tensors, shardBytes);
        Map<String, String> places = new LinkedHashMap<>();
        for (int i = 0; i < shards.size(); i++) {
            String name = "model-%05d-of-%05d.safetensors".formatted(i + 1, shards.size());
            write(folder.resolve(name), shards.get(i));
            shards.get(i).forEach(tensor -> places.put(tensor.name(), name));
        }
        long total = tensors.stream().mapToLong(PlannedTensor::bytes).sum();
        mapper.writeValue(
                folder.resolve("model.safetensors.index.json").toFile(),
                Map.of("metadata", Map.of("total_size", total), "weight_map", places));
    }

    private static List<List<PlannedTensor>> shards(List<PlannedTensor> tensors, long shardBytes) {
        List<List<PlannedTensor>> shards = new ArrayList<>();
        long room = 0;
        for (PlannedTensor tensor : tensors) {
            if (shards.isEmpty() || tensor.bytes() > room) {
                shards.add(new ArrayList<>());
                room = shardBytes;
            }
            shards.getLast().add(tensor);
            room -= tensor.bytes();
        }
        return shards;
    }

    private void write(Path file, List<PlannedTensor> tensors) throws IOException {
        try (FileChannel out = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            out.write(header(tensors));
            ByteBuffer piece = RandomValues.piece();
            for (PlannedTensor tensor : tensors) {
                RandomValues.Source source = values.of(tensor);
                for (long left = tensor.bytes(); left > 0; left -= piece.capacity()) {
                    piece.clear().limit((int) Math.min(left, piece.capacity()));
                    source.fill(piece);
                    piece.flip();
                    while (piece.hasRemaining()) {
                        out.write(piece);
                    }
                }
            }
        } catch (IOException e) {
            Files.deleteIfExists(file);
            throw e;
        }
    }

    /** The header's length and the header, padded with spaces so that the data begins aligned. */
    private ByteBuffer header(List<PlannedTensor> tensors) throws IOException {
        Map<String, Object> entries = new LinkedHashMap<>();
        long begin = 0;
        for (PlannedTensor tensor : tensors) {
            long end = begin + tensor.bytes();
            entries.put(tensor.name(), Map.of(
                    "dtype", tensor.type(), "shape", tensor.shape(), "data_offsets", List.of(begin, end)));
            begin = end;
        }
        String json = mapper.writeValueAsString(entries);
        int padding = Math.floorMod(-(Long.BYTES + json.length()), ALIGNMENT);
        byte[] text = (json + " ".repeat(padding)).getBytes(StandardCharsets.UTF_8);
        ByteBuffer header = ByteBuffer.allocate(Long.BYTES + text.length).order(ByteOrder.LITTLE_ENDIAN);
        return header.putLong(text.length).put(text).flip();
    }
}
