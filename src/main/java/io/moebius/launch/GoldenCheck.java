package io.moebius.launch;

import io.moebius.backend.Activations;
import io.moebius.backend.Backend;
import io.moebius.checkpoint.Checkpoint;
import io.moebius.launch.FlagType.Whole;
import io.moebius.model.Decoder;
import io.moebius.model.Golden;
import io.moebius.model.SequenceLogits;
import io.moebius.model.Transformer;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** {@code moebius check}: the logits of a model on this machine's device against those that an independent implementation stored beside it. */
final class GoldenCheck {

    private static final Flag LONGEST =
            Flag.of("longest", new Whole(1, 4096), "512", "Tokens of the longest prompt that is checked.");

    static final Subcommand SUBCOMMAND = new Subcommand(
            "check", "",
            Stream.concat(ModelProbe.FLAGS.stream(), Stream.of(LONGEST)).toList(),
            "Compares logits with golden.json and golden.safetensors in the model's folder; exit code 1 where they differ.",
            GoldenCheck::run);

    /** Of the logits' root mean square; bf16 between kernels moves them by 1 to 4 %, codes that flip by more. */
    private static final double BOUND_16_BIT = 0.05;
    private static final double BOUND_8_BIT = 0.4;
    /**
     * Positions within the bound; a router now and then chooses another expert after a rounding. Of the fixtures' positions the float64
     * reference, its activations rounded to bf16 between kernels, has 93 to 100 % within these bounds and differs by 0.77 at most.
     */
    private static final double SHARE = 0.9;
    /** What is wrong instead of rounded differs by more. */
    private static final double MOST = 1;

    private GoldenCheck() {}

    private static int run(Subcommand.Options options, Subcommand.Shell shell) {
        String name = options.required(ModelFlags.HF_MODEL_NAME);
        int longest = (int) options.whole(LONGEST);
        try (ModelFolder folder = ModelFolder.find(options, shell.environment()); Backend backend = Backends.open(options)) {
            boolean quantised = backend.activations() == Activations.EIGHT_BIT;
            List<Golden> goldens = goldens(folder.path(), quantised ? "w8a8" : "w8a16", longest);
            Decoder decoder = Transformer.load(Checkpoint.open(folder.path()), backend, longest, longest, fraction -> {});
            SequenceLogits logits = new SequenceLogits(decoder, longest);
            List<Double> differences = new ArrayList<>();
            goldens.forEach(golden -> differences.addAll(golden.differences(logits.of(golden.prompt()))));
            double bound = quantised ? BOUND_8_BIT : BOUND_16_BIT;
            long within = differences.stream().filter(difference -> difference < bound).count();
            double largest = differences.stream().mapToDouble(d -> d).max().orElse(Double.NaN);
            boolean agree = !differences.isEmpty() && within >= (long) (SHARE * differences.size()) && largest < MOST;
            shell.out().println(String.format(
                    Locale.ROOT, "%s: %s on %s, %d of %d positions within %.2f, median %.4f, largest %.4f",
                    agree ? "agrees" : "DIFFERS", name, backend.description(), within, differences.size(), bound,
                    differences.stream().sorted().skip(differences.size() / 2).findFirst().orElse(Double.NaN),
                    largest));
            return agree ? ExitCode.OK.status() : ExitCode.UNTRUE.status();
        }
    }

    private static List<Golden> goldens(Path folder, String mode, int longest) {
        try {
            return Golden.read(folder, mode).stream().filter(golden -> golden.prompt().length <= longest).toList();
        } catch (UncheckedIOException e) {
            throw new StartException(
                    ExitCode.USAGE, "the model's folder has no golden.json and golden.safetensors to check against: " + Console.firstLine(e.getCause()));
        }
    }
}
