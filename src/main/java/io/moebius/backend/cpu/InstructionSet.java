package io.moebius.backend.cpu;

import java.util.Arrays;

/** The builds of the kernels, best first; the order is that of moebius_cpu.h. */
public enum InstructionSet {
    /** AVX512_BF16, and the matrix unit for tokens of prompts (Sapphire Rapids), where the system lets this process use it. */
    AMX,
    /** AVX-512 with dot products of bfloat16 (Zen 4, Sapphire Rapids). */
    AVX512_BF16,
    AVX512,
    AVX2,
    BASELINE;

    /** Whether this process can use it here. */
    public boolean supported() {
        return CpuKernels.moebius_supports(ordinal()) == 1;
    }

    /**
     * The best that this processor has.
     *
     * @throws IllegalStateException if it has none
     */
    public static InstructionSet best() {
        return Arrays.stream(values())
                .filter(InstructionSet::supported)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("the CPU kernels need a processor with SSE4.2 (x86-64-v2)"));
    }
}
