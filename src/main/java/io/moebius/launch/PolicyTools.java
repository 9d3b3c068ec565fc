package io.moebius.launch;

import io.moebius.policy.Choice;
import io.moebius.policy.Origin;
import io.moebius.policy.Policy;
import io.moebius.policy.PolicyException;
import io.moebius.policy.PolicyFolder;
import io.moebius.policy.Report;
import io.moebius.policy.Search;
import io.moebius.policy.Verification;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** {@code moebius policy ...}: what can be chosen, what was chosen, and whether it still holds. */
final class PolicyTools {

    private static final int MAX_TOKENS = 512;
    private static final String FILE = "FILE";
    private static final Flag OTHER = Flag.of("with", new FlagType.Text("a file"), null, "The policy to compare with; without it the defaults.");

    private static final Flag PAIRS =
            Flag.of("pairs", new FlagType.Whole(3, 1000), "7", "Steps of each kind with the policy and with the defaults, in turn.");

    static final Subcommand VARIANTS = new Subcommand(
            "policy variants", "", ModelProbe.FLAGS, "Prints the sites of a model and the variants of their kernels.", PolicyTools::variants);
    static final Subcommand SHOW =
            new Subcommand("policy show", FILE, List.of(), "Prints what a policy file says.", PolicyTools::show);
    static final Subcommand DIFF = new Subcommand(
            "policy diff", FILE, List.of(OTHER), "Prints where a policy differs from the defaults, or from another policy; 1 where it does.", PolicyTools::diff);
    static final Subcommand VERIFY = new Subcommand(
            "policy verify", FILE, Stream.concat(ModelProbe.FLAGS.stream(), Stream.of(PAIRS)).toList(),
            "Measures a policy anew against the defaults; 1 where a choice or a whole step is slower.", PolicyTools::verify);

    private PolicyTools() {}

    private static int variants(Subcommand.Options options, Subcommand.Shell shell) {
        try (ModelProbe probe = ModelProbe.open(options, shell.environment(), MAX_TOKENS, origin -> {})) {
            shell.out().print(Report.catalogue(
                    probe.tunable(), Search.sites(probe.tunable(), probe.steps()), Search.tokenCounts(MAX_TOKENS)));
        }
        return ExitCode.OK.status();
    }

    private static int show(Subcommand.Options options, Subcommand.Shell shell) {
        shell.out().print(Report.all(read(options.operand())));
        return ExitCode.OK.status();
    }

    private static int diff(Subcommand.Options options, Subcommand.Shell shell) {
        Policy first = read(options.operand());
        if (options.text(OTHER).isEmpty()) {
            shell.out().print(Report.changes(first));
            return (first.choices().stream().anyMatch(Choice::changed) ? ExitCode.UNTRUE : ExitCode.OK).status();
        }
        String difference = Report.difference(first, read(options.text(OTHER)));
        shell.out().print(difference.isEmpty() ? "  no difference\n" : difference);
        return difference.isEmpty() ? ExitCode.OK.status() : ExitCode.UNTRUE.status();
    }

    private static int verify(Subcommand.Options options, Subcommand.Shell shell) {
        Policy policy = read(options.operand());
        int most = policy.choices().stream().mapToInt(Choice::tokens).max().orElse(1);
        try (ModelProbe probe = ModelProbe.open(options, shell.environment(), most, origin -> requireOf(origin, policy, options))) {
            probe.backend().settle();
            Verification verification = Verification.of(
                    policy, probe.tunable(), probe.steps(), System::nanoTime, (int) options.whole(PAIRS));
            shell.out().print(Report.verified(verification));
            return verification.failed().isEmpty() ? ExitCode.OK.status() : ExitCode.UNTRUE.status();
        }
    }

    private static void requireOf(Origin here, Policy policy, Subcommand.Options options) {
        here.difference(policy.origin()).ifPresent(difference -> {
            throw new StartException(ExitCode.NO_POLICY, "policy %s refused: %s; it can be verified with its own kernels, machine and model (--hf-model-name) alone"
                    .formatted(options.operand().orElse(""), difference));
        });
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
