package io.moebius.engine;

import io.moebius.backend.DeviceSampler;
import io.moebius.backend.DeviceSampler.Pending;
import io.moebius.backend.DrawnTokens;
import io.moebius.backend.KvCache;
import io.moebius.backend.Tensor;
import io.moebius.engine.GeneratedToken.TokenLogprob;
import io.moebius.model.Decoder;
import java.util.ArrayList;
import java.util.List;

/** Lets the device choose, behind the step: only what it chose comes back. */
final class DeviceSampling implements StepRunner {

    private final Decoder decoder;
    private final KvCache cache;
    private final DeviceSampler sampler;
    private final boolean ignoreNan;

    DeviceSampling(Decoder decoder, KvCache cache, DeviceSampler sampler, boolean ignoreNan) {
        this.decoder = decoder;
        this.cache = cache;
        this.sampler = sampler;
        this.ignoreNan = ignoreNan;
    }

    @Override
    public StartedStep start(Step step) {
        Tensor logits = decoder.forward(step.batch(), cache);
        DrawRows rows = new DrawRows(step.rows(), decoder.vocabulary());
        for (Step.Slice slice : step.slices()) {
            if (slice.completes()) {
                remember(slice.sequence());
                rows.set(slice.row(), slice.sequence());
            }
        }
        return new Drawn(sampler.draw(logits, rows.draws()));
    }

    private void remember(RunningSequence sequence) {
        if (sequence.prompt().sampling().hasPenalties() && !sequence.remembered()) {
            History history = sequence.history();
            sampler.remember(sequence.slot(), history.tokens(), history.prompt(), history.length());
            sequence.remember();
        }
    }

    private final class Drawn implements StartedStep {

        private final Pending pending;
        private DrawnTokens tokens;

        Drawn(Pending pending) {
            this.pending = pending;
        }

        @Override
        public void await() {
            tokens = pending.await();
        }

        @Override
        public GeneratedToken token(Step.Slice slice) {
            int row = slice.row();
            int status = tokens.status()[row];
            if (status == DrawnTokens.NONE_LEFT || (status == DrawnTokens.NOT_FINITE && !ignoreNan)) {
                throw new NotANumberException(slice.sequence().history().length());
            }
            int wanted = slice.sequence().prompt().topLogprobs();
            float logprob = wanted < 0 ? Float.NaN : tokens.logprobs()[row];
            return new GeneratedToken(tokens.ids()[row], logprob, top(row, wanted));
        }

        private List<TokenLogprob> top(int row, int wanted) {
            List<TokenLogprob> top = new ArrayList<>();
            for (int i = row * tokens.topLogprobs(); top.size() < wanted && tokens.topIds()[i] >= 0; i++) {
                top.add(new TokenLogprob(tokens.topIds()[i], tokens.topValues()[i]));
            }
            return List.copyOf(top);
        }
    }
}
