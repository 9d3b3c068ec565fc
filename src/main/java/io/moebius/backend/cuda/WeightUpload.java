package io.moebius.backend.cuda;

import static io.moebius.backend.cuda.KernelLayout.STRIP;
import static io.moebius.backend.cuda.KernelLayout.UNIT_BYTES;
import static io.moebius.backend.cuda.KernelLayout.UNIT_ROW_BYTES;

import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.DType;
import io.moebius.backend.FloatCodes;
import io.moebius.backend.Scales;
import io.moebius.backend.Weight;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Weights on their way from mapped files to the device: through pinned memory, several copies in flight, packed where they arrive. */
final class WeightUpload {

    private static final System.Logger LOG = System.getLogger(WeightUpload.class.getName());
    private static final int SLOTS = 4;
    private static final int SLOT_BYTES = 32 << 20;

    /** Of the device, between uploads and {@link #release}. */
    static final long STAGING_BYTES = (long) SLOTS * SLOT_BYTES;

    private static final int LEAST_SLOT_BYTES = 1 << 20;

    private final Driver driver;
    private final DeviceMemory memory;
    private final Launcher launcher;
    private final KernelTable.Entry packing;
    private final long stream;
    private final int slotBytes;
    private final List<UploadSlot> slots = new ArrayList<>();
    /** Memory of the host that weights share, and its copies. */
    private final Map<MemorySegment, Long> shared = new HashMap<>();
    /** Scales that packing multiplies into the weights. */
    private final List<Long> folded = new ArrayList<>();
    private int next;
    private boolean roundingTold;

    /** @param stream of the steps: what is enqueued there after a call finds the weights in place */
    WeightUpload(Driver driver, DeviceMemory memory, Launcher launcher, KernelTable table, long stream) {
        this(driver, memory, launcher, table, stream, SLOT_BYTES);
    }

    /** @param slotBytes of one copy, but for rows that belong together and are more */
    WeightUpload(Driver driver, DeviceMemory memory, Launcher launcher, KernelTable table, long stream, int slotBytes) {
        this.driver = driver;
        this.memory = memory;
        this.launcher = launcher;
        this.packing = table.only(KernelTable.Family.PACK);
        this.stream = stream;
        this.slotBytes = slotBytes;
    }

    /** Packs matrices of one shape side by side; in bf16 where their formats differ. */
    PackedWeights pack(List<Weight> weights) {
        Weight first = weights.getFirst();
        weights.forEach(weight -> check(weight, first));
        boolean fp8 = alike(weights) && first.dtype() == DType.E4M3 && followsBlocksOfK(first);
        return pack(weights, fp8 ? CudaKernels.E4M3 : CudaKernels.BF16);
    }

    /** The same, as e4m3, which they then are, or as bf16, whatever they are. */
    PackedWeights pack(List<Weight> weights, int type) {
        Weight first = weights.getFirst();
        boolean fp8 = type == CudaKernels.E4M3;
        if (!fp8) {
            weights.stream().filter(weight -> weight.dtype() != DType.BF16).findFirst().ifPresent(this::tellOfRounding);
        }
        long each = packedBytes(first, type);
        long address = memory.allocate(each * weights.size());
        for (int i = 0; i < weights.size(); i++) {
            pack(weights.get(i), type, address + i * each);
        }
        Scales scales = first.scales();
        return new PackedWeights(
                address, first.rows(), first.columns(), type, weights.size(), each,
                fp8 ? scales(weights) : 0, fp8 ? scales.blockRows() : 1, fp8 ? scales.blockColumns() : 1,
                fp8 ? scales.values().length : 0,
                weights.stream().map(weight -> fp8 ? weight.activation() : new ActivationQuantization.None()).toList(),
                alike(weights) ? first.format() : "bf16 of several formats");
    }

    private static boolean alike(List<Weight> weights) {
        return weights.stream().map(Weight::format).distinct().count() == 1;
    }

    private void tellOfRounding(Weight weight) {
        if (!roundingTold) {
            roundingTold = true;
            LOG.log(System.Logger.Level.WARNING, "weights such as {0} ({1}) are rounded to bf16 for the CUDA kernels", weight.name(), weight.format());
        }
    }

    /** float32, row-major. */
    long floats(Weight weight) {
        weight.check();
        ByteBuffer bytes = direct(Math.multiplyExact(weight.rows(), weight.columns()), Float.BYTES);
        for (int row = 0; row < weight.rows(); row++) {
            for (float value : weight.row(row)) {
                bytes.putFloat(value);
            }
        }
        return raw(MemorySegment.ofBuffer(bytes.flip()));
    }

    /** bf16, row-major; other types are rounded. */
    long halves(Weight weight) {
        weight.check();
        if (weight.dtype() == DType.BF16) {
            return raw(weight.data().asSlice(0, weight.bytes()));
        }
        long rowBytes = (long) Short.BYTES * weight.columns();
        long address = memory.allocate(weight.rows() * rowBytes);
        int rows = (int) Math.max(1, slotBytes / rowBytes);
        for (int row = 0; row < weight.rows(); row += rows) {
            int count = Math.min(rows, weight.rows() - row);
            ByteBuffer bytes = direct(count * weight.columns(), Short.BYTES);
            for (int i = 0; i < count; i++) {
                for (float value : weight.row(row + i)) {
                    bytes.putShort(FloatCodes.bFloat16(value));
                }
            }
            copy(MemorySegment.ofBuffer(bytes.flip()), address + row * rowBytes);
        }
        return address;
    }

    /** Device memory with these numbers. */
    long floats(float... values) {
        ByteBuffer bytes = direct(values.length, Float.BYTES);
        bytes.asFloatBuffer().put(values);
        return raw(MemorySegment.ofBuffer(bytes));
    }

    private static ByteBuffer direct(int elements, int bytesEach) {
        return ByteBuffer.allocateDirect(Math.multiplyExact(elements, bytesEach)).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Frees what only loading needs. */
    void release() {
        slots.forEach(UploadSlot::release);
        slots.clear();
        next = 0;
        shared.values().forEach(memory::free);
        shared.clear();
        folded.forEach(memory::free);
        folded.clear();
    }

    private long raw(MemorySegment bytes) {
        long address = memory.allocate(bytes.byteSize());
        copy(bytes, address);
        return address;
    }

    private void copy(MemorySegment bytes, long to) {
        for (long at = 0; at < bytes.byteSize(); at += slotBytes) {
            MemorySegment part = bytes.asSlice(at, Math.min(slotBytes, bytes.byteSize() - at));
            UploadSlot slot = slot((int) part.byteSize());
            driver.copy(to + at, slot.copy(part), part.byteSize(), slot.stream());
            slot.end(stream);
        }
    }

    private void pack(Weight weight, int type, long to) {
        long rowBytes = weight.dtype().rowBytes(weight.columns());
        boolean folds = type == CudaKernels.BF16 && weight.scales() != null;
        long scales = folds ? floats(weight.scales().values()) : 0;
        if (folds) {
            folded.add(scales);
        }
        if (weight.shared() != null) {
            pack(weight, inShared(weight), weight.rows(), type, to, scales, stream);
            return;
        }
        // Scales that are folded in are found by the row of a part, so parts begin where a block of rows does.
        int blockRows = folds ? Math.min(weight.scales().blockRows(), weight.rows()) : 1;
        int least = blockRows == weight.rows() ? STRIP : STRIP / gcd(STRIP, blockRows) * blockRows;
        int rows = (int) Math.max(1, slotBytes / (least * rowBytes)) * least;
        long blockBytes = folds ? (long) Float.BYTES * Math.ceilDiv(weight.columns(), weight.scales().blockColumns()) : 0;
        long stripBytes = packedBytes(weight, type) / Math.ceilDiv(weight.rows(), STRIP);
        for (int row = 0; row < weight.rows(); row += rows) {
            int count = Math.min(rows, weight.rows() - row);
            UploadSlot slot = slot(Math.toIntExact(count * rowBytes));
            long from = slot.copy(weight.data().asSlice(row * rowBytes, count * rowBytes));
            pack(weight, from, count, type, to + row / STRIP * stripBytes, scales + row / blockRows * blockBytes, slot.stream());
            slot.end(stream);
        }
    }

    /** Where the data lies in the device's copy of the memory that it is a part of. */
    private long inShared(Weight weight) {
        return shared.computeIfAbsent(weight.shared(), this::raw) + weight.data().address() - weight.shared().address();
    }

    /** @param scales to be folded in; 0: none */
    private void pack(Weight weight, long from, int rows, int type, long to, long scales, long on) {
        try (CudaKernels.Pack pack = new CudaKernels.Pack()) {
            pack.from(from);
            pack.to(to);
            pack.from_pitch(elementsOfRow(weight));
            pack.n(rows);
            pack.k(weight.columns());
            pack.from_type(type(weight.dtype()));
            pack.to_type(type);
            pack.scales(scales);
            if (scales != 0) {
                pack.block_rows(weight.scales().blockRows());
                pack.block_columns(weight.scales().blockColumns());
            }
            launcher.launch(packing, pack, weight.name(), on);
        }
    }

    private static int gcd(int a, int b) {
        return b == 0 ? a : gcd(b, a % b);
    }

    private UploadSlot slot(int bytes) {
        int capacity = Math.max(bytes, LEAST_SLOT_BYTES);
        if (slots.size() == next) {
            slots.add(new UploadSlot(driver, memory, capacity));
        } else if (slots.get(next).capacity() < bytes) {
            slots.get(next).release();
            slots.set(next, new UploadSlot(driver, memory, capacity));
        }
        UploadSlot slot = slots.get(next);
        next = (next + 1) % SLOTS;
        return slot;
    }

    private long scales(List<Weight> weights) {
        int each = weights.getFirst().scales().values().length;
        float[] all = new float[each * weights.size()];
        for (int i = 0; i < weights.size(); i++) {
            System.arraycopy(weights.get(i).scales().values(), 0, all, i * each, each);
        }
        return floats(all);
    }

    /** Products take factors that stay the same within 128 of K; others are multiplied in, and the weight is bf16 from then on. */
    private static boolean followsBlocksOfK(Weight weight) {
        int columns = weight.scales().blockColumns();
        return columns >= weight.columns() || columns % UNIT_ROW_BYTES == 0;
    }

    private static long packedBytes(Weight weight, int type) {
        int rowBytes = weight.columns() * (type == CudaKernels.E4M3 ? 1 : 2);
        return (long) Math.ceilDiv(weight.rows(), STRIP) * Math.ceilDiv(rowBytes, UNIT_ROW_BYTES) * UNIT_BYTES;
    }

    private static void check(Weight weight, Weight first) {
        weight.check();
        if (weight.rows() != first.rows() || weight.columns() != first.columns()) {
            throw new IllegalArgumentException("%s and %s are loaded together and have different shapes".formatted(first.name(), weight.name()));
        }
    }

    /** With those that fill up a row's last group of 4-bit elements. */
    private static int elementsOfRow(Weight weight) {
        int group = weight.dtype() == DType.INT4 ? DType.INT4_GROUP : 1;
        return Math.ceilDiv(weight.columns(), group) * group;
    }

    private static int type(DType type) {
        return switch (type) {
            case F32 -> CudaKernels.F32;
            case F16 -> CudaKernels.F16;
            case BF16 -> CudaKernels.BF16;
            case E4M3 -> CudaKernels.E4M3;
            case INT4 -> CudaKernels.INT4;
        };
    }
}
