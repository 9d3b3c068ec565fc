package io.moebius.bench;

import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.DType;
import io.moebius.backend.KvStorage;
import io.moebius.backend.Scales;
import io.moebius.backend.Weight;
import io.moebius.checkpoint.Checkpoint;
import io.moebius.checkpoint.CheckpointException;
import io.moebius.checkpoint.ModelConfig;
import io.moebius.checkpoint.RotaryPositions;
import io.moebius.checkpoint.TensorNames;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * A checkpoint of random weights that needs no disk and hardly any memory: every tensor is a window, at a place of its own, of one run of
 * random numbers for its type and deviation. A backend that copies or repacks what it loads still holds all of the model; a device needs a
 * copy of the runs alone to make it there. The memory of the runs is given back when the program ends.
 */
public final class GeneratedCheckpoint implements Checkpoint {

    private static final int WINDOW_STEP = 4096;
    private static final int WINDOWS = 4096;
    private static final int PIECE = 1 << 20;

    private final Shape shape;
    private final Layout layout;
    /** By canonical name. */
    private final Map<String, PlannedTensor> tensors = new HashMap<>();
    private final Map<Run, MemorySegment> runs = new HashMap<>();
    private final long weightBytes;

    /** What tensors that share their numbers have in common. */
    private record Run(String type, PlannedTensor.Value value) {

        static Run of(PlannedTensor tensor) {
            return new Run(tensor.type(), tensor.value());
        }
    }

    public GeneratedCheckpoint(Shape shape, Layout layout, long seed) {
        this.shape = shape;
        this.layout = layout;
        List<PlannedTensor> planned = PlannedTensor.of(shape, layout);
        this.weightBytes = planned.stream().mapToLong(PlannedTensor::bytes).sum();
        planned.forEach(tensor -> tensors.put(TensorNames.canonical(tensor.name()), tensor));
        Map<Run, PlannedTensor> largest = new HashMap<>();
        planned.stream().filter(tensor -> tensor.shape().size() > 0)
                .forEach(tensor -> largest.merge(Run.of(tensor), tensor, (a, b) -> a.bytes() >= b.bytes() ? a : b));
        RandomValues values = new RandomValues(seed);
        largest.forEach((run, tensor) -> runs.put(run, fill(values.of(tensor), tensor.bytes() + (long) WINDOWS * WINDOW_STEP)));
    }

    private static MemorySegment fill(RandomValues.Source source, long bytes) {
        MemorySegment memory = Arena.global().allocate(bytes, 64);
        for (long at = 0; at < bytes; at += PIECE) {
            ByteBuffer piece = memory.asSlice(at, Math.min(PIECE, bytes - at)).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
            source.fill(piece);
        }
        return memory;
    }

    @Override
    public ModelConfig config() {
        return new ModelConfig(
                CheckpointGenerator.ARCHITECTURE, shape.layers(), shape.hidden(), shape.heads(), shape.kvHeads(), shape.headDim(), shape.ffn(), 0, Set.of(),
                shape.experts(), shape.expertsPerToken(), shape.vocabulary(), shape.positions(),
                new RotaryPositions(CheckpointGenerator.ROPE_THETA, new RotaryPositions.Unscaled()),
                CheckpointGenerator.RMS_NORM_EPSILON, 0, false, false, RandomTokenizer.BOS, Set.of(RandomTokenizer.EOS));
    }

    @Override
    public String format() {
        return "random weights, laid out as " + layout.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public long weightBytes() {
        return weightBytes;
    }

    @Override
    public long leastBytes() {
        return weightBytes;
    }

    @Override
    public boolean asksForFp8KvCache() {
        return false;
    }

    @Override
    public KvStorage.Fp8 fp8KvStorage() {
        List<Float> ones = Collections.nCopies(shape.layers(), 1f);
        return new KvStorage.Fp8(ones, ones);
    }

    @Override
    public Weight linear(String name, int rows, int columns) {
        PlannedTensor tensor = find(name + ".weight", rows, columns);
        Weight weight = tensor.type().equals("BF16")
                ? tensor(name + ".weight", rows, columns)
                : new Weight(
                        tensor.name(), DType.E4M3, rows, columns, window(tensor),
                        Scales.perTensor(scalar(name + ".weight_scale"), rows, columns),
                        new ActivationQuantization.Static(scalar(name + ".input_scale")));
        return weight.within(runs.get(Run.of(tensor)));
    }

    @Override
    public Weight tensor(String name, int rows, int columns) {
        return Weight.plain(name, DType.BF16, rows, columns, window(find(name, rows, columns)));
    }

    @Override
    public boolean has(String tensor) {
        return tensors.containsKey(tensor);
    }

    private MemorySegment window(PlannedTensor tensor) {
        long begin = (long) Math.floorMod(tensor.name().hashCode(), WINDOWS) * WINDOW_STEP;
        return runs.get(Run.of(tensor)).asSlice(begin, tensor.bytes());
    }

    private float scalar(String name) {
        return ((PlannedTensor.Value.Constant) tensors.get(name).value()).value();
    }

    private PlannedTensor find(String name, int rows, int columns) {
        PlannedTensor tensor = tensors.get(name);
        if (tensor == null || tensor.elements() != (long) rows * columns) {
            throw new CheckpointException("the generated model has no tensor %s [%d, %d]".formatted(name, rows, columns));
        }
        return tensor;
    }
}
