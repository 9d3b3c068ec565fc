package io.moebius.backend;

/** Rotary position embedding over pairs (i, i + headDim / 2) with frequencies theta^(-2i / headDim) (Su et al. 2021). */
public record Rope(int headDim, float theta) {}
