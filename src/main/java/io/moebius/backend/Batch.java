package io.moebius.backend;

/**
 * The tokens of one step, flat: sequence s owns tokens offsets[s] to offsets[s + 1] - 1, prefill chunks and decodes mixed.
 *
 * @param tokens      [T] ids; ~r stands for the token that the last {@link DeviceSampler#draw} gives row r
 * @param positions   [T] position of each token in its sequence, consecutive within a sequence
 * @param offsets     [S + 1] first token of every sequence, ending with T
 * @param blockTables [S][] block of the KV cache that holds positions 16 i to 16 i + 15
 * @param logitRows   [L] indices into the T tokens whose logits are wanted, ascending
 */
public record Batch(int[] tokens, int[] positions, int[] offsets, int[][] blockTables, int[] logitRows) {

    public int size() {
        return tokens.length;
    }

    public int sequences() {
        return offsets.length - 1;
    }
}
