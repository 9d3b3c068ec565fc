package io.moebius.launch;

import io.moebius.backend.Site;
import io.moebius.policy.Choice;
import io.moebius.policy.Policy;
import io.moebius.policy.PolicyException;
import io.moebius.policy.PolicyFolder;
import io.moebius.policy.Report;
import io.moebius.policy.Search;
import io.moebius.policy.Verification;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** {@code moebius policy ...}: what can be chosen, what was chosen, and whether it still holds. */
final class PolicyTools {

    private static final int MAX_TOKENS = 512;
    private static final String FILE = "FILE";
    private static final Flag OTHER = Flag.of("with", new FlagType.Text("a file"), null, "The policy to compare with; without it the defaults.");

    static final Subcommand VARIANTS = new Subcommand(
            "policy variants", "", ModelProbe.FLAGS, "Prints the sites of a model and the variants of their kernels.", PolicyTools::variants);
    static final Subcommand SHOW =
            new Subcommand("policy show", FILE, List.of(), "Prints what a policy file says.", PolicyTools::show);
    static final Subcommand DIFF = new Subcommand(
            "policy diff", FILE, List.of(OTHER), "Prints where a policy differs from the defaults, or from another policy; 1 where it does.", PolicyTools::diff);
    static final Subcommand VERIFY = new Subcommand(
            "policy verify", FILE, ModelProbe.FLAGS, "Measures a policy's choices anew; 1 where one is slower than the default.",
            PolicyTools::verify);

    private PolicyTools() {}

    private static int variants(Subcommand.Options options, Subcommand.Shell shell) {
        try (ModelProbe probe = ModelProbe.open(options, shell.environment(), MAX_TOKENS)) {
            for (Site site : Search.sites(probe.tunable(), probe.steps())) {
                shell.out().println(site);
                for (int tokens : Search.tokenCounts(MAX_TOKENS)) {
                    List<String> names = probe.tunable().variants(site, tokens).stream().map(variant -> variant.name()).toList();
                    shell.out().println("  %4d tokens: %d variants, default \"%s\", others: %s".formatted(
                            tokens, names.size(), names.getFirst(), String.join("; ", names.subList(1, names.size()))));
                }
            }
        }
        return 0;
    }

    private static int show(Subcommand.Options options, Subcommand.Shell shell) {
        Policy policy = read(options.operand());
        policy.origin().fields().forEach((field, value) -> shell.out().println("  %-8s %s".formatted(field, value)));
        policy.choices().forEach(choice -> shell.out().println(String.format(
                Locale.ROOT, "  %s, %d tokens: %s, %.1f us (default %.1f us; next \"%s\", %.1f us)",
                choice.site(), choice.tokens(), choice.variant(), choice.micros(), choice.defaultMicros(), choice.runnerUp(),
                choice.runnerUpMicros())));
        return 0;
    }

    private static int diff(Subcommand.Options options, Subcommand.Shell shell) {
        Policy first = read(options.operand());
        if (options.text(OTHER).isEmpty()) {
            shell.out().print(Report.table(first));
            return first.choices().stream().allMatch(choice -> choice.gain() == 1) ? 0 : 1;
        }
        Policy second = read(options.text(OTHER));
        first.origin().difference(second.origin()).ifPresent(difference ->
                shell.out().println(difference.replace(" here,", " in the first,").replace(" there", " in the second")));
        boolean same = printMissing(first, second, "only the first has", shell.out())
                & printMissing(second, first, "only the second has", shell.out());
        for (Choice choice : first.choices()) {
            Optional<Choice> other = second.choice(choice.site(), choice.tokens());
            if (other.isPresent() && !other.get().variant().equals(choice.variant())) {
                shell.out().println("%s at %d tokens: \"%s\" in the first, \"%s\" in the second"
                        .formatted(choice.site(), choice.tokens(), choice.variant(), other.get().variant()));
                same = false;
            }
        }
        return same ? 0 : 1;
    }

    /** Whether nothing is missing. */
    private static boolean printMissing(Policy from, Policy in, String what, PrintStream out) {
        List<Choice> missing = from.choices().stream().filter(c -> in.choice(c.site(), c.tokens()).isEmpty()).toList();
        missing.forEach(choice -> out.println("%s %s at %d tokens".formatted(what, choice.site(), choice.tokens())));
        return missing.isEmpty();
    }

    private static int verify(Subcommand.Options options, Subcommand.Shell shell) {
        Policy policy = read(options.operand());
        int most = policy.choices().stream().mapToInt(Choice::tokens).max().orElse(1);
        try (ModelProbe probe = ModelProbe.open(options, shell.environment(), most)) {
            probe.origin().difference(policy.origin()).ifPresent(difference -> {
                throw new StartException(ExitCode.NO_POLICY, "policy %s refused: %s; give the model that it is for by --hf-model-name"
                        .formatted(options.operand().orElse(""), difference));
            });
            Verification verification = Verification.of(policy, probe.tunable(), probe.steps(), System::nanoTime);
            verification.failed().forEach(line -> shell.out().println("  no longer holds: " + line));
            shell.out().println("  %d of %d choices hold".formatted(
                    verification.checked() - verification.failed().size(), verification.checked()));
            return verification.failed().isEmpty() ? 0 : 1;
        } catch (PolicyException e) {
            throw new StartException(ExitCode.NO_POLICY, e.getMessage());
        }
    }

    private static Policy read(Optional<String> file) {
        String name = file.orElseThrow(() -> new StartException(ExitCode.USAGE, "a policy file is missing; give its path"));
        try {
            return PolicyFolder.read(Path.of(name));
        } catch (PolicyException e) {
            throw new StartException(ExitCode.NO_POLICY, "policy %s refused: %s".formatted(name, e.getMessage()));
        }
    }
}
