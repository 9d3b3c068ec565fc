package io.moebius.backend.cuda;

import static io.moebius.backend.cuda.KernelLayout.STRIP;

import io.moebius.backend.Scales;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Matrices of the same input, joined to one where their layouts allow it: one product instead of several small ones. */
final class JoinedWeights {

    private final Driver driver;
    private final DeviceMemory memory;
    private final WeightUpload upload;
    private final long stream;
    private final Map<List<CudaMatrix>, Optional<PackedWeights>> joined = new HashMap<>();

    JoinedWeights(Driver driver, DeviceMemory memory, WeightUpload upload, long stream) {
        this.driver = driver;
        this.memory = memory;
        this.upload = upload;
        this.stream = stream;
    }

    /** One matrix of all rows; empty where packed rows of one would not follow those of another, or their inputs differ. */
    Optional<PackedWeights> of(List<CudaMatrix> parts) {
        return joined.computeIfAbsent(parts, all -> fit(all) ? Optional.of(join(all)) : Optional.empty());
    }

    private static boolean fit(List<CudaMatrix> parts) {
        PackedWeights first = parts.getFirst().packed();
        for (CudaMatrix part : parts) {
            PackedWeights packed = part.packed();
            boolean alike = packed.count() == 1 && packed.type() == first.type() && packed.columns() == first.columns()
                    && packed.inputs().equals(first.inputs()) && blockColumns(packed) == blockColumns(first);
            boolean whole = part == parts.getLast() || packed.rows() % STRIP == 0;
            boolean strips = packed.scales() == 0 || packed.blockRows() >= packed.rows() || packed.blockRows() % STRIP == 0
                    || packed.blockRows() == 1;
            if (!alike || !whole || !strips) {
                return false;
            }
        }
        return true;
    }

    /** At most those that there are. */
    private static int blockColumns(PackedWeights packed) {
        return packed.scales() == 0 ? 0 : Math.min(packed.blockColumns(), packed.columns());
    }

    /** The parts move into the memory of the whole. */
    private PackedWeights join(List<CudaMatrix> parts) {
        PackedWeights first = parts.getFirst().packed();
        long bytes = parts.stream().mapToLong(part -> part.packed().each()).sum();
        int rows = parts.stream().mapToInt(CudaMatrix::rows).sum();
        long address = memory.allocate(bytes);
        long at = address;
        for (CudaMatrix part : parts) {
            driver.copy(at, part.packed().address(), part.packed().each(), stream);
            at += part.packed().each();
        }
        driver.synchronize(stream);
        at = address;
        for (CudaMatrix part : parts) {
            memory.free(part.packed().address());
            part.move(at);
            at += part.packed().each();
        }
        int blockRows = parts.stream().anyMatch(part -> part.packed().blockRows() == 1) ? 1 : STRIP;
        float[] scales = first.scales() == 0 ? new float[0] : scales(parts, blockRows);
        return new PackedWeights(
                address, rows, first.columns(), first.type(), 1, bytes, scales.length == 0 ? 0 : upload.floats(scales), blockRows,
                first.blockColumns(), scales.length, first.inputs(), first.format());
    }

    /** A factor for each {@code blockRows} rows and block of columns of all parts. */
    private static float[] scales(List<CudaMatrix> parts, int blockRows) {
        float[] all = new float[0];
        for (CudaMatrix part : parts) {
            Scales own = part.scales();
            int across = Math.ceilDiv(part.columns(), own.blockColumns());
            int begin = all.length;
            all = Arrays.copyOf(all, begin + Math.ceilDiv(part.rows(), blockRows) * across);
            for (int i = begin; i < all.length; i++) {
                int row = (i - begin) / across * blockRows;
                all[i] = own.values()[row / own.blockRows() * across + (i - begin) % across];
            }
        }
        return all;
    }
}
