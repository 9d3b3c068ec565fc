package io.moebius.checkpoint;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Maps one safetensors file: 8 bytes of header length, the header, the tensors. */
final class SafetensorsFile {

    private static final long MAX_HEADER = 100_000_000;
    private static final int LENGTH_BYTES = 8;

    private SafetensorsFile() {}

    /** Its tensors by name; the mapping lives as long as one of them is reachable. */
    static Map<String, RawTensor> map(Path path) {
        String file = path.getFileName().toString();
        try (FileChannel channel = FileChannel.open(path)) {
            long size = channel.size();
            if (size < LENGTH_BYTES) {
                throw new CheckpointException("%s has %d bytes; a safetensors file has at least 8".formatted(file, size));
            }
            MemorySegment mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, size, Arena.ofAuto());
            long header = mapped.asSlice(0, LENGTH_BYTES).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN).getLong();
            if (header < 2 || header > MAX_HEADER || header > size - LENGTH_BYTES) {
                throw new CheckpointException("%s says that its header has %s bytes; allowed: 2 to %d, within the file's %d; fetch it again, with Git LFS if by git"
                        .formatted(file, Long.toUnsignedString(header), MAX_HEADER, size));
            }
            byte[] json = new byte[(int) header];
            ByteBuffer bytes = mapped.asSlice(LENGTH_BYTES, header).asByteBuffer();
            bytes.get(json);
            long dataStart = LENGTH_BYTES + header;
            Map<String, RawTensor> tensors = new LinkedHashMap<>();
            SafetensorsHeader.parse(file, json, size - dataStart).forEach((name, entry) -> tensors.put(
                    name,
                    new RawTensor(
                            name,
                            entry.type(),
                            entry.shape(),
                            mapped.asSlice(dataStart + entry.begin(), entry.end() - entry.begin()))));
            return tensors;
        } catch (IOException e) {
            throw new CheckpointException("%s cannot be read: %s".formatted(file, e), e);
        }
    }
}
