package io.moebius.launch;

import io.moebius.launch.FlagType.Choice;
import io.moebius.launch.FlagType.Whole;
import java.util.List;

/** What computes, and how much at once. */
final class EngineFlags {

    static final Flag DEVICE =
            Flag.of("device", new Choice("auto", "cpu", "cuda", "reference"), "auto", "What computes; auto is cuda where a GPU is that the kernels run on, else cpu; reference is slow plain Java.");
    static final Flag CPU_INSTRUCTIONS = Flag.of(
            "cpu-instructions", new Choice("auto", "amx", "avx512_bf16", "avx512", "avx2", "baseline"), "auto",
            "Build of the CPU kernels; auto is the best that the processor has, of amx also the system's permission. amx differs from avx512_bf16 in prompts alone.");
    static final Flag ACTIVATIONS = Flag.of(
            "activations", new Choice("auto", "16bit", "8bit"), "auto",
            "Inputs of FP8 layers: 16bit leaves them unquantised, 8bit quantises them as the model says; auto is 8bit on CUDA, else 16bit.");
    static final Flag MAX_BATCH_SIZE = Flag.of("max-batch-size", new Whole(1, 4096), "384", "Most sequences in a step.");
    static final Flag MAX_TOKEN_COUNT = Flag.of(
            "max-token-count", new Whole(1, 1 << 20), "512",
            "Most tokens in a step, at least --max-batch-size; longer prompts are read in pieces.");
    static final Flag KV_CACHE_DTYPE = Flag.of(
            "kv-cache-dtype", new Choice("auto", "bf16", "fp8"), "auto",
            "Type of the KV cache; auto is fp8 where the model says so, else float32 on the CPU and bf16 on CUDA.");
    static final Flag NUM_DEVICES = Flag.of(
            "num-devices", new Whole(1, 64), "1",
            "GPUs that share the model, at most those that are visible; -d for short. More than 1 is refused: not supported yet.");

    static final List<Flag> ALL = List.of(
            DEVICE, CPU_INSTRUCTIONS, ACTIVATIONS, MAX_BATCH_SIZE, MAX_TOKEN_COUNT, KV_CACHE_DTYPE, NUM_DEVICES);

    private EngineFlags() {}
}
