package io.moebius.launch;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.moebius.backend.Activations;
import io.moebius.backend.cpu.CpuBackend;
import io.moebius.backend.cpu.InstructionSet;
import io.moebius.backend.cpu.ProcessorModel;
import io.moebius.bench.CheckpointGenerator;
import io.moebius.bench.KernelBench;
import io.moebius.bench.Layout;
import io.moebius.bench.ModelBench;
import io.moebius.bench.Report;
import io.moebius.bench.Shape;
import io.moebius.checkpoint.Checkpoint;
import io.moebius.checkpoint.CheckpointException;
import io.moebius.hub.HubException;
import io.moebius.launch.FlagType.Choice;
import io.moebius.launch.FlagType.Text;
import io.moebius.launch.FlagType.Whole;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** {@code moebius bench ...}: a model of any shape, how near to the machine's bounds it runs, and its kernels one by one. */
final class BenchTools {

    private static final Flag OUT = Flag.of("out", new Text("a new folder"), null, "Where the checkpoint is written.");
    private static final Flag HIDDEN = size("hidden", 1 << 16, "2048", "Width of the model.");
    private static final Flag LAYERS = size("layers", 1000, "8", "Decoder layers.");
    private static final Flag HEADS = size("heads", 1 << 12, "32", "Query heads.");
    private static final Flag KV_HEADS = size("kv-heads", 1 << 12, "8", "Key and value heads.");
    private static final Flag FFN = size("ffn", 1 << 20, "3584", "Inner width of an expert.");
    private static final Flag EXPERTS = size("experts", 1 << 12, "8", "Experts of a layer, of which each token takes two.");
    private static final Flag VOCAB = size("vocab", 1 << 22, "32000", "Entries of the vocabulary.");
    private static final Flag LAYOUT =
            Flag.of("layout", new Choice("autofp8", "friendli", "bf16"), "autofp8", "How the linear layers are stored.");
    private static final Flag SEED = Flag.of("seed", new Whole(0, Long.MAX_VALUE), "0", "Of the random weights.");

    private static final Flag BATCH =
            Flag.of("batch", new Text("N,N,..."), "1,8,32", "How many sequences decode together, each measured.");
    private static final Flag PROMPT = size("prompt", 1 << 20, "512", "Tokens of the prompt that is read.");
    private static final Flag CONTEXT = Flag.of(
            "context", new Whole(0, 1 << 20), null, "Tokens that each decoded token attends to; the default is --prompt.");
    private static final Flag INSTRUCTIONS = Flag.of(
            "instructions", new Choice("all", "avx512_bf16", "avx512", "avx2", "baseline"), "all", "Instruction sets to measure.");
    private static final Flag JSON = Flag.of("json", new Text("a file"), null, "Write the figures there, too, for programs.");

    static final Subcommand GENERATE = new Subcommand(
            "bench generate", "", List.of(OUT, HIDDEN, LAYERS, HEADS, KV_HEADS, FFN, EXPERTS, VOCAB, LAYOUT, SEED),
            "Writes a loadable checkpoint of random weights in any shape.", BenchTools::generate);
    static final Subcommand MODEL = new Subcommand(
            "bench model", "", List.of(ModelFlags.HF_MODEL_NAME, ModelFlags.REVISION, EngineFlags.DEVICE, EngineFlags.CPU_INSTRUCTIONS, EngineFlags.ACTIVATIONS, BATCH, PROMPT, CONTEXT, JSON),
            "Measures prefill and decode, and how much of the machine's bounds they use.", BenchTools::model);

    static final Subcommand KERNELS = new Subcommand(
            "bench kernels", "", List.of(INSTRUCTIONS, HIDDEN, HEADS, KV_HEADS, FFN, EXPERTS, VOCAB),
            "Measures single kernels of every instruction set that this processor has.", BenchTools::kernels);

    private static final int EXPERTS_PER_TOKEN = 2;
    private static final int POSITIONS = 32768;

    private BenchTools() {}

    private static Flag size(String name, long most, String defaultValue, String description) {
        return Flag.of(name, new Whole(1, most), defaultValue, description);
    }

    private static int generate(Subcommand.Options options, Subcommand.Shell shell) {
        Path folder = Path.of(options.required(OUT));
        try {
            Shape shape = new Shape(
                    (int) options.whole(HIDDEN), (int) options.whole(LAYERS), (int) options.whole(HEADS),
                    (int) options.whole(KV_HEADS), (int) options.whole(FFN), (int) options.whole(EXPERTS), EXPERTS_PER_TOKEN,
                    (int) options.whole(VOCAB), POSITIONS);
            Layout layout = Layout.valueOf(options.required(LAYOUT).toUpperCase(Locale.ROOT));
            long bytes = new CheckpointGenerator(shape, layout, options.whole(SEED)).write(folder);
            shell.out().println("%s: %s of weights".formatted(folder, Console.size(bytes)));
            return 0;
        } catch (IllegalArgumentException e) {
            throw new StartException(ExitCode.USAGE, e.getMessage());
        } catch (IOException e) {
            throw new StartException(ExitCode.FAILED, "the checkpoint cannot be written: " + Console.firstLine(e));
        }
    }

    private static int model(Subcommand.Options options, Subcommand.Shell shell) {
        List<Integer> batches = batches(options.required(BATCH));
        int prompt = (int) options.whole(PROMPT);
        int context = options.text(CONTEXT).map(Integer::parseInt).orElse(prompt);
        String name = options.required(ModelFlags.HF_MODEL_NAME);
        try (ModelFolder folder = ModelFolder.find(
                name, options.required(ModelFlags.REVISION), shell.environment(), (done, all) -> {}, Console::note)) {
            Report report;
            try (ModelBench bench = new ModelBench(
                    Checkpoint.open(folder.path()),
                    Backends.open(
                            options.required(EngineFlags.DEVICE), options.required(EngineFlags.CPU_INSTRUCTIONS),
                            options.required(EngineFlags.ACTIVATIONS), Console::note),
                    batches,
                    Math.max(prompt, context))) {
                report = bench.run(ProcessorModel.name(), name, batches, prompt, context);
            }
            shell.out().print(report.table());
            if (options.text(JSON).isPresent()) {
                new ObjectMapper().writerWithDefaultPrettyPrinter().writeValue(Path.of(options.required(JSON)).toFile(), report);
            }
            return 0;
        } catch (HubException e) {
            throw new StartException(ExitCode.of(e), e.getMessage());
        } catch (CheckpointException e) {
            throw new StartException(ExitCode.BAD_CHECKPOINT, e.getMessage());
        } catch (OutOfMemoryError e) {
            throw new StartException(ExitCode.OUT_OF_MEMORY, Console.firstLine(e));
        } catch (IOException e) {
            throw new StartException(ExitCode.FAILED, "the figures cannot be written: " + Console.firstLine(e));
        }
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
            return 0;
        } catch (IllegalArgumentException e) {
            throw new StartException(ExitCode.USAGE, e.getMessage());
        } catch (LinkageError e) {
            throw new StartException(ExitCode.NO_BACKEND, "the CPU kernels cannot be used: " + Console.firstLine(e));
        }
    }

    private static List<Integer> batches(String list) {
        try {
            List<Integer> batches = Arrays.stream(list.split(",")).map(String::strip).map(Integer::parseInt).toList();
            if (batches.stream().allMatch(batch -> batch >= 1 && batch <= 4096)) {
                return batches;
            }
        } catch (NumberFormatException e) {
            // Refused with the others.
        }
        throw new StartException(ExitCode.USAGE, "--batch is \"%s\"; allowed: whole numbers from 1 to 4096, with commas".formatted(list));
    }
}
