package io.moebius.backend;

import java.util.Arrays;

/**
 * The tokens of one step, flat: sequence s owns tokens offsets[s] to offsets[s + 1] - 1, prefill chunks and decodes mixed.
 *
 * @param tokens        [T] ids; ~r stands for the token that the last {@link DeviceSampler#draw} gives row r
 * @param positions     [T] position of each token in its sequence, consecutive within a sequence
 * @param offsets       [S + 1] first token of every sequence, ending with T
 * @param blockTables   [S][] block of the KV cache that holds positions 16 i to 16 i + 15
 * @param logitRows     [L] indices into the T tokens whose logits are wanted, ascending
 * @param promptLengths [S] tokens of each sequence's prompt: what stands at later positions was generated. A token's bits may depend on
 *                      which of both it is, and stay the same when it is computed again
 */
public record Batch(int[] tokens, int[] positions, int[] offsets, int[][] blockTables, int[] logitRows, int[] promptLengths) {

    /** Of prompts alone, however long they may be. */
    public Batch(int[] tokens, int[] positions, int[] offsets, int[][] blockTables, int[] logitRows) {
        this(tokens, positions, offsets, blockTables, logitRows, new int[offsets.length - 1]);
        Arrays.fill(promptLengths, Integer.MAX_VALUE);
    }

    public int size() {
        return tokens.length;
    }

    public int sequences() {
        return offsets.length - 1;
    }

    /** [T] 1 for tokens of prompts, 0 for generated ones. */
    public byte[] promptTokens() {
        byte[] marks = new byte[tokens.length];
        for (int s = 0; s < sequences(); s++) {
            for (int t = offsets[s]; t < offsets[s + 1]; t++) {
                marks[t] = (byte) (positions[t] < promptLengths[s] ? 1 : 0);
            }
        }
        return marks;
    }
}
