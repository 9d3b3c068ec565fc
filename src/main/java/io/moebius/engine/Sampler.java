package io.moebius.engine;

import io.moebius.engine.GeneratedToken.TokenLogprob;
import java.util.Arrays;
import java.util.List;

/** Chooses the next token: a function of logits, prompt and history alone. Its scratch memory is for one thread. */
final class Sampler {

    private final boolean ignoreNan;
    private final float[] adjusted;
    private final Adjustments adjustments;
    private final Ranking ranking;
    private final TokenDraw tokenDraw;

    /** @param ignoreNan whether logits that are not finite count as -infinity instead of failing the sequence */
    Sampler(int vocabulary, boolean ignoreNan) {
        this.ignoreNan = ignoreNan;
        adjusted = new float[vocabulary];
        adjustments = new Adjustments(vocabulary);
        ranking = new Ranking(vocabulary);
        tokenDraw = new TokenDraw(ranking, vocabulary);
    }

    /**
     * @param logits [vocabulary], of the history's last token
     * @throws NotANumberException if a logit is not finite, or, where that is ignored, none is left to choose from
     */
    GeneratedToken sample(float[] logits, Prompt prompt, History history) {
        for (int id = 0; id < adjusted.length; id++) {
            boolean finite = Float.isFinite(logits[id]);
            if (!finite && !ignoreNan) {
                throw new NotANumberException(history.length());
            }
            adjusted[id] = finite ? logits[id] : Float.NEGATIVE_INFINITY;
        }
        int wanted = prompt.topLogprobs();
        double normalizer = wanted < 0 ? 0 : logSumExp(adjusted);
        List<TokenLogprob> top = wanted <= 0 ? List.of() : top(wanted, normalizer);

        adjustments.apply(adjusted, prompt, history);
        int id = choose(prompt.sampling(), history);
        float logprob = wanted < 0 ? Float.NaN : (float) (logits[id] - normalizer);
        return new GeneratedToken(id, logprob, top);
    }

    private int choose(Sampling sampling, History history) {
        int best = argmax(adjusted);
        if (adjusted[best] == Float.NEGATIVE_INFINITY) {
            throw new NotANumberException(history.length());
        }
        return sampling.temperature() == 0
                ? best
                : tokenDraw.draw(adjusted, adjusted[best], sampling, history.output());
    }

    private List<TokenLogprob> top(int count, double normalizer) {
        ranking.fill(adjusted);
        return Arrays.stream(ranking.best(count))
                .mapToObj(id -> new TokenLogprob(id, (float) (adjusted[id] - normalizer)))
                .toList();
    }

    private static double logSumExp(float[] logits) {
        double largest = logits[argmax(logits)];
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - largest);
        }
        return largest + Math.log(sum);
    }

    /** The lowest of the ids with the largest value. */
    private static int argmax(float[] values) {
        int best = 0;
        for (int id = 1; id < values.length; id++) {
            if (values[id] > values[best]) {
                best = id;
            }
        }
        return best;
    }
}
