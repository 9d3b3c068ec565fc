package io.moebius.api;

import io.moebius.engine.Engine;
import io.moebius.engine.FinishReason;
import io.moebius.engine.GeneratedToken;
import io.moebius.engine.Prompt;
import io.moebius.engine.SequenceListener;
import io.moebius.engine.Ticket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.IntStream;

/** Answers every prompt with one text, on a thread of its own, and remembers what it was asked. */
final class ScriptedEngine implements Engine {

    final BlockingQueue<Prompt> prompts = new LinkedBlockingQueue<>();
    final BlockingQueue<Prompt> cancelled = new LinkedBlockingQueue<>();
    private volatile Script script = ScriptedEngine::hello;

    interface Script {
        void run(Prompt prompt, SequenceListener listener, Thread self) throws Exception;
    }

    void play(Script script) {
        this.script = script;
    }

    void reset() {
        script = ScriptedEngine::hello;
        prompts.clear();
        cancelled.clear();
    }

    static void hello(Prompt prompt, SequenceListener listener, Thread self) {
        say("Hello", prompt, listener);
    }

    static void say(String text, Prompt prompt, SequenceListener listener) {
        int[] ids = ByteTokenizer.ids(text);
        for (int i = 0; i < Math.min(ids.length, prompt.maxTokens()); i++) {
            listener.token(token(ids[i], prompt));
        }
        if (prompt.maxTokens() > ids.length && !prompt.stopTokens().isEmpty()) {
            listener.token(token(prompt.stopTokens().iterator().next(), prompt));
            listener.finished(FinishReason.STOP);
        } else {
            listener.finished(FinishReason.LENGTH);
        }
    }

    /** Tokens until its thread is interrupted. */
    static void forever(Prompt prompt, SequenceListener listener, Thread self) throws InterruptedException {
        while (!self.isInterrupted()) {
            listener.token(token(ByteTokenizer.ids("a")[0], prompt));
            Thread.sleep(1);
        }
    }

    /** Nothing until its thread is interrupted. */
    static void silent(Prompt prompt, SequenceListener listener, Thread self) throws InterruptedException {
        Thread.sleep(Duration.ofMinutes(1));
    }

    private static GeneratedToken token(int id, Prompt prompt) {
        if (prompt.topLogprobs() < 0) {
            return new GeneratedToken(id, Float.NaN, List.of());
        }
        List<GeneratedToken.TokenLogprob> top = IntStream.range(0, prompt.topLogprobs())
                .mapToObj(i -> new GeneratedToken.TokenLogprob(id + i, i == 0 ? -0.5f : Float.NEGATIVE_INFINITY))
                .toList();
        return new GeneratedToken(id, -0.5f, top);
    }

    @Override
    public Ticket submit(Prompt prompt, SequenceListener listener) {
        Script now = script;
        if (now == null) {
            throw new IllegalStateException("closed");
        }
        prompts.add(prompt);
        Thread thread = Thread.startVirtualThread(() -> {
            try {
                now.run(prompt, listener, Thread.currentThread());
            } catch (InterruptedException e) {
                // A cancelled sequence is silent.
            } catch (Exception e) {
                listener.failed(e instanceof RuntimeException r ? r : new RuntimeException(e));
            }
        });
        return () -> {
            if (thread.isAlive()) {
                cancelled.add(prompt);
                thread.interrupt();
            }
        };
    }

    @Override
    public Load load() {
        return new Load(0, 0, 0, 0);
    }

    @Override
    public boolean alive() {
        return true;
    }

    @Override
    public CompletionStage<Throwable> death() {
        return new CompletableFuture<>();
    }

    @Override
    public boolean drain(Duration timeout) {
        return true;
    }

    @Override
    public void close() {}
}
