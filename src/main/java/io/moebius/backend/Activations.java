package io.moebius.backend;

/** What happens to the inputs of FP8 layers. */
public enum Activations {
    /** Unquantised inputs over dequantised weights (weight-only FP8, W8A16). */
    SIXTEEN_BIT,
    /** Inputs quantised to e4m3 as the checkpoint says (W8A8). */
    EIGHT_BIT
}
