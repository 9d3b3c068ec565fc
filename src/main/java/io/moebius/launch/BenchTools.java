package io.moebius.launch;

import io.moebius.backend.Activations;
import io.moebius.backend.cpu.CpuBackend;
import io.moebius.backend.cpu.InstructionSet;
import io.moebius.backend.cpu.ProcessorModel;
import io.moebius.bench.CheckpointGenerator;
import io.moebius.bench.GeneratedCheckpoint;
import io.moebius.bench.KernelBench;
import io.moebius.bench.Layout;
import io.moebius.bench.Shape;
import io.moebius.checkpoint.Checkpoint;
import io.moebius.launch.FlagType.Choice;
import io.moebius.launch.FlagType.Text;
import io.moebius.launch.FlagType.Whole;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** {@code moebius bench generate} and {@code bench kernels}: a model of any shape, and the kernels one by one. */
final class BenchTools {

    private static final Flag OUT = Flag.of("out", new Text("a new folder"), null, "Where the checkpoint is written.");
    private static final Flag HIDDEN = size("hidden", 1 << 16, "2048", "Width of the model.");
    private static final Flag LAYERS = size("layers", 1000, "8", "Decoder layers.");
    private static final Flag HEADS = size("heads", 1 << 12, "32", "Query heads.");
    private static final Flag KV_HEADS = size("kv-heads", 1 << 12, "8", "Key and value heads.");
    private static final Flag FFN = size("ffn", 1 << 20, "3584", "Inner width of an expert.");
    private static final Flag EXPERTS = Flag.of("experts", new Whole(2, 1 << 12), "8", "Experts of a layer, of which each token takes two.");
    private static final Flag VOCAB = size("vocab", 1 << 22, "32000", "Entries of the vocabulary.");
    private static final Flag LAYOUT =
            Flag.of("layout", new Choice("autofp8", "friendli", "bf16"), "autofp8", "How the linear layers are stored.");
    private static final Flag SEED = Flag.of("seed", new Whole(0, Long.MAX_VALUE), "0", "Of the random weights.");

    /** Of a generated model. */
    static final List<Flag> SHAPE = List.of(HIDDEN, LAYERS, HEADS, KV_HEADS, FFN, EXPERTS, VOCAB, LAYOUT, SEED);

    private static final Flag INSTRUCTIONS = Flag.of(
            "instructions", new Choice("all", "amx", "avx512_bf16", "avx512", "avx2", "baseline"), "all", "Instruction sets to measure.");

    static final Subcommand GENERATE = new Subcommand(
            "bench generate", "", Stream.concat(Stream.of(OUT), SHAPE.stream()).toList(),
            "Writes a loadable checkpoint of random weights in any shape.", BenchTools::generate);
    static final Subcommand KERNELS = new Subcommand(
            "bench kernels", "", List.of(INSTRUCTIONS, HIDDEN, HEADS, KV_HEADS, FFN, EXPERTS, VOCAB),
            "Measures single kernels of every instruction set that this processor has; 512 tokens are a prompt's, fewer are generated ones.", BenchTools::kernels);

    private static final int EXPERTS_PER_TOKEN = 2;
    private static final int POSITIONS = 32768;

    private BenchTools() {}

    private static Flag size(String name, long most, String defaultValue, String description) {
        return Flag.of(name, new Whole(1, most), defaultValue, description);
    }

    private static int generate(Subcommand.Options options, Subcommand.Shell shell) {
        Path folder = Path.of(options.required(OUT));
        try {
            long bytes = new CheckpointGenerator(shape(options), layout(options), options.whole(SEED)).write(folder);
            shell.out().println("%s: %s of weights".formatted(folder, Console.size(bytes)));
            return ExitCode.OK.status();
        } catch (IOException e) {
            throw new StartException(ExitCode.FAILED, "the checkpoint cannot be written: " + Console.firstLine(e));
        }
    }

    static Checkpoint inMemory(Subcommand.Options options) {
        return new GeneratedCheckpoint(shape(options), layout(options), options.whole(SEED));
    }

    private static Shape shape(Subcommand.Options options) {
        try {
            return new Shape(
                    (int) options.whole(HIDDEN), (int) options.whole(LAYERS), (int) options.whole(HEADS),
                    (int) options.whole(KV_HEADS), (int) options.whole(FFN), (int) options.whole(EXPERTS), EXPERTS_PER_TOKEN,
                    (int) options.whole(VOCAB), POSITIONS);
        } catch (IllegalArgumentException e) {
            throw new StartException(ExitCode.USAGE, e.getMessage());
        }
    }

    private static Layout layout(Subcommand.Options options) {
        return Layout.valueOf(options.required(LAYOUT).toUpperCase(Locale.ROOT));
    }

    private static int kernels(Subcommand.Options options, Subcommand.Shell shell) {
        String asked = options.required(INSTRUCTIONS);
        try {
            KernelBench bench = new KernelBench(new Shape(
                    (int) options.whole(HIDDEN), 1, (int) options.whole(HEADS), (int) options.whole(KV_HEADS),
                    (int) options.whole(FFN), (int) options.whole(EXPERTS), EXPERTS_PER_TOKEN, (int) options.whole(VOCAB), POSITIONS));
            for (InstructionSet set : InstructionSet.values()) {
                if (set.supported() && (asked.equals("all") || set.name().equalsIgnoreCase(asked))) {
                    CpuBackend backend =
                            new CpuBackend(Activations.SIXTEEN_BIT, set, Runtime.getRuntime().availableProcessors());
                    shell.out().println("\n%s, %s\n%s".formatted(ProcessorModel.name(), backend.description(), KernelBench.heading()));
                    bench.run(backend).forEach(result -> shell.out().println(result.row()));
                }
            }
            return ExitCode.OK.status();
        } catch (IllegalArgumentException e) {
            throw new StartException(ExitCode.USAGE, e.getMessage());
        } catch (LinkageError e) {
            throw new StartException(ExitCode.NO_BACKEND, "the CPU kernels cannot be used: " + Console.firstLine(e));
        }
    }
}
