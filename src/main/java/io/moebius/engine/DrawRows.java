package io.moebius.engine;

import io.moebius.backend.Draws;
import java.util.Arrays;
import java.util.Map;

/** Gathers, row after row, how a step's tokens are to be drawn. */
final class DrawRows {

    private static final int NO_SLOT = -1;

    private final int words;
    private final float[] temperature;
    private final int[] topK;
    private final float[] topP;
    private final float[] minP;
    private final float[] repetition;
    private final float[] presence;
    private final float[] frequency;
    private final int[] slots;
    private final long[] seeds;
    private final int[] indices;
    private final int[] biasOffsets;
    private int[] biasIds = {};
    private float[] biasValues = {};
    private int[] allowed;
    private int topLogprobs;

    DrawRows(int rows, int vocabulary) {
        words = Math.ceilDiv(vocabulary, Integer.SIZE);
        temperature = new float[rows];
        topK = new int[rows];
        topP = new float[rows];
        minP = new float[rows];
        repetition = new float[rows];
        presence = new float[rows];
        frequency = new float[rows];
        slots = new int[rows];
        seeds = new long[rows];
        indices = new int[rows];
        biasOffsets = new int[rows + 1];
    }

    /** Rows must come in ascending order. */
    void set(int row, RunningSequence sequence) {
        Prompt prompt = sequence.prompt();
        Sampling sampling = prompt.sampling();
        temperature[row] = sampling.temperature();
        topK[row] = sampling.topK();
        topP[row] = sampling.topP();
        minP[row] = sampling.minP();
        repetition[row] = sampling.repetitionPenalty();
        presence[row] = sampling.presencePenalty();
        frequency[row] = sampling.frequencyPenalty();
        slots[row] = sampling.hasPenalties() ? sequence.slot() : NO_SLOT;
        seeds[row] = sampling.seed();
        indices[row] = sequence.drawnTokens();
        bias(row, sampling.logitBias());
        if (sequence.drawnTokens() < prompt.minTokens()) {
            prompt.stopTokens().forEach(id -> forbid(row, id));
        }
        topLogprobs = Math.max(topLogprobs, prompt.topLogprobs());
    }

    Draws draws() {
        return new Draws(
                temperature, topK, topP, minP, repetition, presence, frequency, slots, seeds, indices,
                biasIds.length == 0 ? null : biasOffsets, biasIds, biasValues, allowed, topLogprobs);
    }

    private void bias(int row, Map<Integer, Float> bias) {
        int next = biasOffsets[row];
        biasOffsets[row + 1] = next + bias.size();
        if (!bias.isEmpty()) {
            biasIds = Arrays.copyOf(biasIds, next + bias.size());
            biasValues = Arrays.copyOf(biasValues, next + bias.size());
            for (Map.Entry<Integer, Float> entry : bias.entrySet()) {
                biasIds[next] = entry.getKey();
                biasValues[next++] = entry.getValue();
            }
        }
    }

    private void forbid(int row, int id) {
        if (allowed == null) {
            allowed = new int[words * temperature.length];
            Arrays.fill(allowed, -1);
        }
        allowed[row * words + id / Integer.SIZE] &= ~(1 << id);
    }
}
