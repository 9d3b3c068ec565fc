package io.moebius.launch;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.moebius.backend.Backend;
import io.moebius.backend.KvCache;
import io.moebius.backend.KvStorage;
import io.moebius.backend.cpu.ProcessorModel;
import io.moebius.bench.ModelBench;
import io.moebius.bench.Report;
import io.moebius.bench.ServingBench;
import io.moebius.bench.ServingBench.Lengths;
import io.moebius.bench.ServingReport;
import io.moebius.checkpoint.Checkpoint;
import io.moebius.launch.FlagType.Choice;
import io.moebius.launch.FlagType.Text;
import io.moebius.launch.FlagType.Whole;
import io.moebius.model.Decoder;
import io.moebius.model.Transformer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;

/** {@code moebius bench model}: how near to the machine's bounds a model's steps run, or what the engine serves of it under load. */
final class ModelBenchTool {

    private static final Flag WEIGHTS = Flag.of(
            "weights", new Choice("files", "random"), "files",
            "files: of --hf-model-name; random: made in memory, in the shape of --hidden, --layers and so on.");
    private static final Flag BATCH =
            Flag.of("batch", new Text("N,N,..."), "1,8,32", "How many sequences decode together, each measured.");
    private static final Flag PROMPT = Flag.of("prompt", new Whole(1, 1 << 20), "512", "Tokens of the prompt that is read.");
    private static final Flag CONTEXT = Flag.of(
            "context", new Whole(0, 1 << 20), null, "Tokens that each decoded token attends to; the default is --prompt.");
    private static final Flag IN_OUT = Flag.of(
            "in-out", new Text("N/N,N/N,..."), null,
            "Measure the engine under load instead: requests with so many prompt and output tokens, as many as the KV cache holds.");
    private static final Flag SECONDS =
            Flag.of("seconds", new Whole(1, 86_400), "60", "How long each of --in-out is measured once the load is even.");
    private static final Flag JSON = Flag.of("json", new Text("a file"), null, "Write the figures there, too, for programs.");

    static final Subcommand MODEL = new Subcommand(
            "bench model", "",
            Stream.concat(
                    Stream.of(
                            ModelFlags.HF_MODEL_NAME, ModelFlags.REVISION, WEIGHTS, EngineFlags.DEVICE, EngineFlags.CPU_INSTRUCTIONS,
                            EngineFlags.ACTIVATIONS, BATCH, PROMPT, CONTEXT, IN_OUT, SECONDS, EngineFlags.MAX_BATCH_SIZE,
                            EngineFlags.MAX_TOKEN_COUNT, EngineFlags.KV_CACHE_DTYPE, JSON),
                    BenchTools.SHAPE.stream()).toList(),
            "Measures prefill and decode and how much of the machine's bounds they use, or the engine under load.", ModelBenchTool::run);

    private ModelBenchTool() {}

    private static int run(Subcommand.Options options, Subcommand.Shell shell) {
        try {
            if (options.required(WEIGHTS).equals("random")) {
                Checkpoint checkpoint = BenchTools.inMemory(options);
                return measure(options, shell, checkpoint, checkpoint.format());
            }
            try (ModelFolder folder = ModelFolder.find(options, shell.environment())) {
                return measure(options, shell, Checkpoint.open(folder.path()), options.required(ModelFlags.HF_MODEL_NAME));
            }
        } catch (IOException e) {
            throw new StartException(ExitCode.FAILED, "the figures cannot be written: " + Console.firstLine(e));
        }
    }

    private static int measure(Subcommand.Options options, Subcommand.Shell shell, Checkpoint checkpoint, String model) throws IOException {
        if (options.text(IN_OUT).isPresent()) {
            ServingReport report = serving(options, shell, checkpoint, model);
            shell.out().print(report.table());
            write(options, report);
        } else {
            Report report = steps(options, checkpoint, model);
            shell.out().print(report.table());
            write(options, report);
        }
        return ExitCode.OK.status();
    }

    private static void write(Subcommand.Options options, Object report) throws IOException {
        if (options.text(JSON).isPresent()) {
            new ObjectMapper().writerWithDefaultPrettyPrinter().writeValue(Path.of(options.required(JSON)).toFile(), report);
        }
    }

    private static Report steps(Subcommand.Options options, Checkpoint checkpoint, String model) {
        List<Integer> batches = list(options, BATCH, "whole numbers from 1 to 4096, with commas", ModelBenchTool::batch);
        int prompt = (int) options.whole(PROMPT);
        int context = options.text(CONTEXT).map(Integer::parseInt).orElse(prompt);
        try (ModelBench bench = new ModelBench(checkpoint, Backends.open(options), batches, Math.max(prompt, context))) {
            return bench.run(ProcessorModel.name(), model, batches, prompt, context);
        }
    }

    private static ServingReport serving(Subcommand.Options options, Subcommand.Shell shell, Checkpoint checkpoint, String model) {
        List<Lengths> all = list(options, IN_OUT, "prompt and output tokens from 1 to 1048576 like 128/128,1000/1000", ModelBenchTool::lengths);
        int longest = all.stream().mapToInt(lengths -> lengths.input() + lengths.output()).max().orElse(2);
        if (longest > checkpoint.config().maxPositions()) {
            throw new StartException(ExitCode.USAGE, "--in-out asks for %d tokens; the model has %d positions, give at most that"
                    .formatted(longest, checkpoint.config().maxPositions()));
        }
        int maxSequences = (int) options.whole(EngineFlags.MAX_BATCH_SIZE);
        int maxTokens = (int) Math.max(options.whole(EngineFlags.MAX_TOKEN_COUNT), maxSequences);
        try (Backend backend = Backends.open(options)) {
            Decoder decoder = Transformer.load(checkpoint, backend, maxTokens, maxSequences, fraction -> {});
            KvStorage storage = KvCacheType.of(options.required(EngineFlags.KV_CACHE_DTYPE), checkpoint);
            KvCache.Shape shape = decoder.kvShape().stored(storage);
            backend.settle();
            long room = MemoryPlan.room(backend);
            MemoryPlan plan = MemoryPlan.of(room, backend.kvBlockBytes(shape), maxSequences, longest, IN_OUT);
            ServingBench bench = new ServingBench(decoder, backend.kvCache(shape, plan.blocks()), maxSequences);
            List<ServingReport.Result> results = new ArrayList<>();
            for (Lengths lengths : all) {
                shell.errors().println("  measuring %d/%d ...".formatted(lengths.input(), lengths.output()));
                results.add(bench.run(lengths, (int) options.whole(SECONDS)));
            }
            return new ServingReport(
                    ProcessorModel.name() + ", " + backend.description(), model,
                    "%s, %d tokens".formatted(KvCacheType.name(storage, backend), plan.tokens()), results);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StartException(ExitCode.FAILED, "interrupted");
        }
    }

    private static int batch(String text) {
        int batch = Integer.parseInt(text);
        if (batch < 1 || batch > 4096) {
            throw new NumberFormatException(text);
        }
        return batch;
    }

    private static Lengths lengths(String text) {
        if (!text.matches("\\d{1,7}/\\d{1,7}")) {
            throw new NumberFormatException(text);
        }
        int slash = text.indexOf('/');
        Lengths lengths = new Lengths(Integer.parseInt(text.substring(0, slash)), Integer.parseInt(text.substring(slash + 1)));
        if (lengths.input() < 1 || lengths.output() < 1 || Math.max(lengths.input(), lengths.output()) > 1 << 20) {
            throw new NumberFormatException(text);
        }
        return lengths;
    }

    private static <T> List<T> list(Subcommand.Options options, Flag flag, String allowed, Function<String, T> element) {
        String list = options.required(flag);
        try {
            return Arrays.stream(list.split(",")).map(String::strip).map(element).toList();
        } catch (NumberFormatException e) {
            throw new StartException(ExitCode.USAGE, "%s is \"%s\"; allowed: %s".formatted(flag.option(), list, allowed));
        }
    }
}
