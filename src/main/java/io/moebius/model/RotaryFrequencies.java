package io.moebius.model;

import io.moebius.backend.Rope;
import io.moebius.checkpoint.RotaryPositions;
import io.moebius.checkpoint.RotaryPositions.Linear;
import io.moebius.checkpoint.RotaryPositions.Llama3;
import io.moebius.checkpoint.RotaryPositions.Unscaled;
import io.moebius.checkpoint.RotaryPositions.Yarn;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;

/** Rotary frequencies, stretched as the configuration says: each is divided by the factor but for a part of it that is kept. */
final class RotaryFrequencies {

    private RotaryFrequencies() {}

    static Rope of(int headDim, RotaryPositions rotary) {
        Rope plain = Rope.of(headDim, rotary.theta());
        return switch (rotary.scaling()) {
            case Unscaled() -> plain;
            case Linear(double factor) -> stretched(plain, factor, i -> 0, 1);
            case Llama3 llama -> stretched(plain, llama.factor(), i -> {
                double turns = llama.originalPositions() * plain.frequencies()[i] / (2 * Math.PI);
                return Math.clamp((turns - llama.lowTurns()) / (llama.highTurns() - llama.lowTurns()), 0, 1);
            }, 1);
            case Yarn yarn -> {
                double first = pair(yarn, yarn.fastTurns(), headDim, rotary.theta());
                double last = pair(yarn, yarn.slowTurns(), headDim, rotary.theta());
                double from = Math.max(0, yarn.wholePairs() ? Math.floor(first) : first);
                double to = Math.min(headDim - 1, yarn.wholePairs() ? Math.ceil(last) : last);
                double span = from == to ? 0.001 : to - from;
                yield stretched(plain, yarn.factor(), i -> 1 - Math.clamp((i - from) / span, 0, 1), yarn.growth());
            }
        };
    }

    /** The pair, not a whole one, that turns so many times in the original positions. */
    private static double pair(Yarn yarn, double turns, int headDim, double theta) {
        return headDim * Math.log(yarn.originalPositions() / (turns * 2 * Math.PI)) / (2 * Math.log(theta));
    }

    private static Rope stretched(Rope plain, double factor, IntToDoubleFunction kept, double growth) {
        double[] frequencies = plain.frequencies().clone();
        Arrays.setAll(frequencies, i -> {
            double part = kept.applyAsDouble(i);
            return frequencies[i] * (part + (1 - part) / factor);
        });
        return new Rope(frequencies, growth);
    }
}
