package io.moebius.policy;

import io.moebius.backend.Site;
import io.moebius.backend.Variant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * How many prompt tokens a step reads beside its decodes. Each decode waits for the whole step, so the fewest are chosen with which
 * prompts are read as fast as with all that a step may have. Which tokens share a step never changes a row's bits.
 */
public final class StepShape {

    /** Times of its choices are those of one step with decodes: how long they wait. */
    public static final Site SITE = new Site("step", "prompt tokens beside decodes");

    private static final int LEAST = 64;
    private static final int LEAST_ROUNDS = 3;
    private static final int ROUNDS = 5;
    /** Prompts may take so much longer than with the default. */
    static final double TOLERANCE = 0.02;

    /** @param promptTokens most of a step */
    public record Budget(int promptTokens) implements Variant {
        @Override
        public String name() {
            return promptTokens + " prompt tokens";
        }

        /** Beside the decodes of a measured step of at most {@code most} tokens. */
        int read(int most) {
            return Math.min(promptTokens, most - Steps.DECODES_BESIDE);
        }
    }

    private StepShape() {}

    /** Of steps of at most {@code most} tokens: that many, the default, and the powers of two from 64 below it. */
    public static List<Budget> variants(int most) {
        List<Budget> variants = new ArrayList<>(List.of(new Budget(most)));
        for (int tokens = LEAST; tokens < most; tokens *= 2) {
            variants.add(new Budget(tokens));
        }
        return List.copyOf(variants);
    }

    /**
     * What {@code policy} says for steps of at most {@code most} tokens; all of them where it was not searched for that.
     *
     * @throws PolicyException if it names no variant
     */
    public static int promptTokens(Policy policy, int most) {
        return policy.choice(SITE, most).map(choice -> budget(choice).promptTokens()).orElse(most);
    }

    static Budget budget(Choice choice) {
        return variants(choice.tokens()).stream()
                .filter(budget -> budget.name().equals(choice.variant()))
                .findFirst()
                .orElseThrow(() -> new PolicyException(
                        "%s has no variant \"%s\" at %d tokens".formatted(SITE, choice.variant(), choice.tokens())));
    }

    /** Prompt tokens a second in steps that take {@code micros}. */
    static double tokensPerSecond(Budget budget, int most, double micros) {
        return budget.read(most) / micros * 1e6;
    }

    /** Whether anything can be chosen, and measured. */
    static boolean possible(Steps steps, int most) {
        return variants(most).size() > 1 && steps.possible(Steps.Phase.MIXED, most - Steps.DECODES_BESIDE);
    }

    /** @return empty if it was stopped */
    static Optional<Choice> search(Steps steps, int most, LongSupplier nanoTime, BooleanSupplier stop) {
        List<Budget> budgets = variants(most);
        Budget all = budgets.getFirst();
        Map<Budget, Samples> times = new LinkedHashMap<>();
        Map<Budget, Samples> perToken = new LinkedHashMap<>();
        for (int round = 0; round < ROUNDS && (round < LEAST_ROUNDS || open(perToken, all)); round++) {
            Map<Budget, Double> now = new LinkedHashMap<>();
            for (Budget budget : budgets) {
                if (stop.getAsBoolean()) {
                    return Optional.empty();
                }
                now.put(budget, time(steps, budget, most, nanoTime));
            }
            now.forEach((budget, nanos) -> {
                times.computeIfAbsent(budget, b -> new Samples()).add(nanos);
                perToken.computeIfAbsent(budget, b -> new Samples())
                        .add(nanos / budget.read(most) / (now.get(all) / all.read(most)));
            });
        }
        Budget chosen = budgets.stream().skip(1).filter(budget -> asFast(perToken.get(budget))).findFirst().orElse(all);
        // The next smaller one, which reads prompts too slowly; where there is none, the default.
        int below = chosen == all ? budgets.size() - 1 : budgets.indexOf(chosen) - 1;
        Budget runnerUp = budgets.get(below);
        return Optional.of(new Choice(
                SITE, most, chosen.name(), times.get(chosen).median() / 1e3, times.get(all).median() / 1e3, runnerUp.name(),
                times.get(runnerUp).median() / 1e3, 0));
    }

    /** Whether another than the default may still be as fast. */
    private static boolean open(Map<Budget, Samples> perToken, Budget all) {
        return perToken.entrySet().stream().anyMatch(each -> each.getKey() != all && each.getValue().interval().least() <= 1 + TOLERANCE);
    }

    /** Surely, not just within the noise. */
    private static boolean asFast(Samples perToken) {
        return perToken.interval().most() <= 1 + TOLERANCE;
    }

    static double time(Steps steps, Budget budget, int most, LongSupplier nanoTime) {
        long begin = nanoTime.getAsLong();
        steps.run(Steps.Phase.MIXED, budget.read(most));
        return nanoTime.getAsLong() - begin;
    }
}
