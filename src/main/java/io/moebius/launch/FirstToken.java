package io.moebius.launch;

import io.moebius.backend.DeviceLostException;
import io.moebius.engine.Engine;
import io.moebius.engine.FinishReason;
import io.moebius.engine.GeneratedToken;
import io.moebius.engine.Prompt;
import io.moebius.engine.Sampling;
import io.moebius.engine.SequenceListener;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** Generates one token, so that ready means ready. */
final class FirstToken {

    private FirstToken() {}

    static void generate(Engine engine, int prompt) {
        CompletableFuture<GeneratedToken> first = new CompletableFuture<>();
        engine.submit(new Prompt(new int[] {prompt}, 1, 0, Set.of(), Sampling.greedy(), -1), new SequenceListener() {
            @Override
            public void token(GeneratedToken token) {
                first.complete(token);
            }

            @Override
            public void finished(FinishReason reason) {}

            @Override
            public void failed(RuntimeException cause) {
                first.completeExceptionally(cause);
            }
        });
        try {
            first.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof DeviceLostException lost) {
                throw lost;
            }
            throw new StartException(
                    ExitCode.NO_TOKEN, "the model could not generate a token: " + Console.firstLine(e.getCause()));
        }
    }
}
