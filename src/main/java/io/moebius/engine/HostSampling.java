package io.moebius.engine;

import io.moebius.backend.KvCache;
import io.moebius.backend.Tensor;
import io.moebius.model.Decoder;

/** Reads the logits back and chooses on the host. */
final class HostSampling implements StepRunner {

    private final Decoder decoder;
    private final KvCache cache;
    private final Sampler sampler;
    private final float[] logits;

    HostSampling(Decoder decoder, KvCache cache, boolean ignoreNan) {
        this.decoder = decoder;
        this.cache = cache;
        sampler = new Sampler(decoder.vocabulary(), ignoreNan);
        logits = new float[decoder.vocabulary()];
    }

    @Override
    public StartedStep start(Step step) {
        Tensor rows = decoder.forward(step.batch(), cache);
        return new StartedStep() {
            @Override
            public void await() {}

            @Override
            public GeneratedToken token(Step.Slice slice) {
                decoder.backend().read(rows, slice.row(), logits);
                return sampler.sample(logits, slice.sequence().prompt(), slice.sequence().history());
            }
        };
    }
}
