package io.moebius.backend;

import java.util.stream.IntStream;

/** Kernel calls inside a step of one sequence, without a model around them. */
public final class InStep {

    private InStep() {}

    /** @param prompt how many of the {@code tokens}, the first ones, are a prompt's; the others were generated */
    public static void run(Backend backend, int tokens, int prompt, Runnable calls) {
        Batch batch = new Batch(
                new int[tokens], IntStream.range(0, tokens).toArray(), new int[] {0, tokens}, new int[1][0], new int[0], new int[] {prompt});
        backend.run(new Program() {
            @Override
            public int mostLogitRows() {
                return 0;
            }

            @Override
            public Tensor run(Batch of, KvCache cache) {
                calls.run();
                return null;
            }
        }, batch, null);
    }
}
