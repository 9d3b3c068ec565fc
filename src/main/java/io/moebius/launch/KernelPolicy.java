package io.moebius.launch;

import io.moebius.backend.Activations;
import io.moebius.backend.Backend;
import io.moebius.backend.KvCache;
import io.moebius.backend.Site;
import io.moebius.backend.Tunable;
import io.moebius.checkpoint.Checkpoint;
import io.moebius.checkpoint.ModelConfig;
import io.moebius.model.Decoder;
import io.moebius.policy.Chosen;
import io.moebius.policy.HtmlReport;
import io.moebius.policy.ModelSteps;
import io.moebius.policy.Origin;
import io.moebius.policy.Policy;
import io.moebius.policy.PolicyException;
import io.moebius.policy.PolicyFolder;
import io.moebius.policy.Report;
import io.moebius.policy.Search;
import io.moebius.policy.Source;
import io.moebius.policy.StepShape;
import io.moebius.policy.Tuner;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/** Which variants the kernels of this start run in: found in a folder, searched now, shipped with the program, or the defaults. */
final class KernelPolicy {

    private final Settings settings;
    private final Console console;
    private final Tunable backend;
    private final Origin origin;
    private final PolicyFolder folder;

    /**
     * Checks whether what was asked for can be done, before anything takes long.
     *
     * @throws StartException if a search was asked for that cannot begin
     */
    KernelPolicy(Settings settings, Console console, Backend backend, Checkpoint checkpoint) {
        this.settings = settings;
        this.console = console;
        this.backend = backend instanceof Tunable tunable ? tunable : null;
        this.origin = this.backend == null ? null : origin(this.backend, backend.activations(), checkpoint);
        this.folder = settings.text(PolicyFlags.ALGO_POLICY_DIR).map(Path::of).map(PolicyFolder::new).orElse(null);
        if (searching()) {
            if (this.backend == null) {
                throw new StartException(
                        ExitCode.USAGE, "--search-policy is true, but the device has one variant of each kernel; leave it out");
            }
            folder.check(origin);
        }
    }

    boolean searching() {
        return settings.on(PolicyFlags.SEARCH_POLICY);
    }

    static Origin origin(Tunable backend, Activations activations, Checkpoint checkpoint) {
        ModelConfig config = checkpoint.config();
        String model = "%s hidden %d layers %d heads %d over %d x %d ffn %d experts %d of %d vocabulary %d".formatted(
                config.architecture(), config.hidden(), config.layers(), config.heads(), config.kvHeads(), config.headDim(),
                config.ffn(), config.expertsPerToken(), config.experts(), config.vocabulary());
        if (config.denseFfn() > 0) {
            model += " ffn %d in layers %s".formatted(config.denseFfn(), new TreeSet<>(config.denseLayers()));
        }
        String format = "%s, %s activations".formatted(checkpoint.format(), activations == Activations.EIGHT_BIT ? "8bit" : "16bit");
        return Origin.of(backend, model, format);
    }

    /**
     * @param promptTokens that a step reads beside its decodes
     * @param line         for people
     */
    record InForce(int promptTokens, String line) {}

    /** Searches where asked to, and puts the policy in force. */
    InForce use(Decoder decoder, KvCache cache, int maxSequences, PhaseListener listener) {
        int maxTokens = decoder.maxBatchTokens();
        if (backend == null) {
            return new InForce(maxTokens, "none: one variant of each kernel");
        }
        ModelSteps steps = new ModelSteps(decoder, cache, maxSequences);
        if (searching()) {
            search(steps, maxTokens, listener);
        }
        String without = folder == null
                ? "default policy"
                : "default policy: no file in %s (run once with --search-policy true to make one)".formatted(folder);
        try {
            Optional<Source> found = Source.find(Optional.ofNullable(folder), origin);
            if (found.isPresent()) {
                return put(found.get().policy(), steps, maxTokens, found.get().where());
            }
        } catch (PolicyException e) {
            console.warn(e.getMessage());
            without = "default policy: the file in %s was refused".formatted(folder);
        }
        backend.dispatch(call -> call.run(backend.defaultVariant(call.site(), call.tokens())));
        return new InForce(maxTokens, without);
    }

    private InForce put(Policy policy, ModelSteps steps, int maxTokens, String file) {
        Collection<Site> sites = Search.sites(backend, steps);
        try {
            backend.dispatch(new Chosen(backend, policy));
        } catch (PolicyException e) {
            throw folder == null ? e : folder.refused(origin, e.getMessage());
        }
        int promptTokens = StepShape.promptTokens(policy, maxTokens);
        List<Integer> counts = Search.tokenCounts(maxTokens).stream().filter(tokens -> Search.possible(steps, tokens)).toList();
        int missing = policy.missing(sites, counts).size();
        String shape = promptTokens == maxTokens ? "" : ", %d prompt tokens in a step".formatted(promptTokens);
        return new InForce(promptTokens, "%d sites, %d missing, file %s%s".formatted(policy.sites().size(), missing, file, shape));
    }

    private void search(ModelSteps steps, int maxTokens, PhaseListener listener) {
        Tuner tuner = new Tuner(backend, steps, origin, folder, System::nanoTime);
        Tuner.Outcome outcome = tuner.search(
                Search.tokenCounts(maxTokens),
                Duration.ofMinutes(settings.whole(PolicyFlags.SEARCH_BUDGET)),
                (tokens, fraction, left) -> listener.progress(fraction, left.isZero()
                        ? "steps of %d tokens".formatted(tokens)
                        : "steps of %d tokens, %s".formatted(tokens, Console.left(left))));
        HtmlReport.write(outcome.policy(), folder.file(origin));
        console.show("policy %s%n%s%s%s".formatted(
                folder.file(origin),
                Report.changes(outcome.policy()),
                Report.gains(outcome),
                outcome.complete() ? "" : "  not complete: the same command goes on where this ended\n"));
    }
}
