package io.moebius.checkpoint;

import io.moebius.backend.KvStorage;
import io.moebius.backend.Weight;
import java.nio.file.Path;

/** A model's files, opened and checked: the configuration and its named weights, mapped for as long as one of them is reachable. */
public interface Checkpoint {

    /**
     * Opens a folder with config.json and safetensors files; weights are mapped, not read.
     *
     * @throws CheckpointException for anything that cannot be served
     */
    static Checkpoint open(Path folder) {
        return SafetensorsCheckpoint.open(folder);
    }

    /** The same, its linear layers converted to {@code bits} as they are asked for. */
    static Checkpoint open(Path folder, WeightBits bits) {
        return new ConvertedCheckpoint(SafetensorsCheckpoint.open(folder), bits);
    }

    ModelConfig config();

    /** For people: "FriendliAI FP8 (e4m3)", "AutoFP8 static", "bfloat16" and the like. */
    String format();

    /** Size of all weights in their files. */
    long weightBytes();

    /** Bytes that all weights need at least, as they are handed on, on a device that keeps none in more than 16 bits, and integers in as many. */
    long leastBytes();

    /** Whether whoever quantised the model meant its keys and values to be e4m3 too. */
    boolean asksForFp8KvCache();

    /** An e4m3 KV cache with the checkpoint's scales, 1 where it has none. */
    KvStorage.Fp8 fp8KvStorage();

    /**
     * The layer {@code name}.weight [rows, columns] with the scales and activation scheme that the checkpoint's
     * quantisation gives it.
     *
     * @throws CheckpointException if it is missing or has another shape or type
     */
    Weight linear(String name, int rows, int columns);

    /** The unquantised tensor {@code name}, a vector being one row. */
    Weight tensor(String name, int rows, int columns);

    /** Whether there is a tensor of this canonical name. */
    boolean has(String tensor);
}
