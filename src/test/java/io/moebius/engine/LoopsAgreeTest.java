package io.moebius.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a sequence hears does not depend on the loop that serves it, nor on who is served beside it. */
class LoopsAgreeTest {

    private static final Duration LONG = Duration.ofSeconds(60);
    private static final int POISON = 63;

    /** @param cancelAfter tokens after which its listener cancels it */
    private record Case(Prompt prompt, int cancelAfter) {}

    @ParameterizedTest
    @CsvSource({"1, 6, 3, 16", "2, 9, 8, 64", "3, 12, 5, 7", "4, 40, 16, 48", "5, 400, 64, 256"})
    void givesEachSequenceTheSameInBoth(int seed, int blocks, int maxBatchSequences, int maxBatchTokens) throws InterruptedException {
        Limits limits = new Limits(maxBatchSequences, maxBatchTokens, maxBatchTokens, 200, 1000);
        List<Case> cases = cases(seed, 300, 16 * Math.min(blocks, 6));
        List<List<Object>> plain = serve(ToyDecoder.synchronous(), blocks, limits, cases);
        List<List<Object>> overlapped = serve(ToyDecoder.asynchronous(), blocks, limits, cases);
        for (int i = 0; i < cases.size(); i++) {
            assertThat(overlapped.get(i)).as("sequence %d, %s", i, cases.get(i)).isEqualTo(plain.get(i));
        }
        assertThat(plain.stream().map(List::getLast).collect(Collectors.toSet()))
                .contains("finished STOP", "finished LENGTH")
                .anyMatch(last -> last instanceof GeneratedToken)
                .anyMatch(last -> last.toString().startsWith("failed"));
    }

    private static List<Case> cases(int seed, int count, int longest) {
        Random random = new Random(seed);
        List<Case> cases = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int prompt = 1 + random.nextInt(longest / 2);
            int maxTokens = 1 + random.nextInt(longest / 2);
            boolean drawn = random.nextInt(3) > 0;
            boolean penalised = random.nextInt(2) == 0;
            Sampling sampling = new Sampling(
                    drawn ? 0.5f + random.nextFloat() : 0, random.nextInt(3) * 10, 1 - random.nextInt(3) * 0.1f, random.nextInt(2) * 0.02f,
                    penalised ? 1.2f : 1, penalised ? random.nextFloat() : 0, penalised ? random.nextFloat() : 0,
                    random.nextInt(4) == 0 ? Map.of(random.nextInt(POISON), 3f, POISON, -1f) : Map.of(), random.nextLong());
            Set<Integer> stop = random.ints(random.nextInt(4), 0, POISON).boxed().collect(Collectors.toSet());
            int minTokens = random.nextInt(4) == 0 ? random.nextInt(maxTokens) : 0;
            cases.add(new Case(
                    new Prompt(random.ints(prompt, 0, POISON).toArray(), maxTokens, minTokens, stop, sampling, random.nextInt(6) - 1),
                    random.nextInt(8) == 0 ? 1 + random.nextInt(maxTokens) : Integer.MAX_VALUE));
        }
        return cases;
    }

    /** Everything that each sequence heard. */
    private static List<List<Object>> serve(ToyDecoder decoder, int blocks, Limits limits, List<Case> cases)
            throws InterruptedException {
        decoder.poison = POISON;
        Semaphore allSubmitted = new Semaphore(0);
        decoder.beforeStep = batch -> allSubmitted.acquireUninterruptibly();
        List<List<Object>> heard = new ArrayList<>();
        try (StepEngine engine = new StepEngine(decoder, new ToyDecoder.Cache(blocks), limits, new RecordingObserver(), false)) {
            for (Case one : cases) {
                List<Object> transcript = Collections.synchronizedList(new ArrayList<>());
                AtomicReference<Ticket> ticket = new AtomicReference<>();
                ticket.set(engine.submit(one.prompt, new SequenceListener() {
                    @Override
                    public void token(GeneratedToken token) {
                        transcript.add(token);
                        if (transcript.size() == one.cancelAfter) {
                            ticket.get().cancel();
                        }
                    }

                    @Override
                    public void finished(FinishReason reason) {
                        transcript.add("finished " + reason);
                    }

                    @Override
                    public void failed(RuntimeException cause) {
                        transcript.add("failed " + cause.getMessage());
                    }
                }));
                heard.add(transcript);
            }
            allSubmitted.release(1_000_000);
            assertThat(engine.drain(LONG)).isTrue();
            assertThat(engine.load()).isEqualTo(new Engine.Load(0, 0, 0, blocks));
        }
        return heard;
    }
}
