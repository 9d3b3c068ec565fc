package io.moebius.backend;

import java.util.List;

/**
 * The feed-forward weights of one mixture-of-experts layer: expert e computes down[e](silu(gate[e] x) * up[e] x).
 *
 * @param gate w1, [ffn, hidden] for each expert
 * @param up   w3, [ffn, hidden]
 * @param down w2, [hidden, ffn]
 */
public record Experts(List<Matrix> gate, List<Matrix> up, List<Matrix> down) {

    public int count() {
        return gate.size();
    }
}
