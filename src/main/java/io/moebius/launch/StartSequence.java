package io.moebius.launch;

import io.moebius.api.ApiKeys;
import io.moebius.api.Readiness;
import io.moebius.api.ServedModel;
import io.moebius.backend.Activations;
import io.moebius.backend.Backend;
import io.moebius.backend.KvCache;
import io.moebius.backend.KvStorage;
import io.moebius.checkpoint.Checkpoint;
import io.moebius.checkpoint.ModelConfig;
import io.moebius.checkpoint.WeightBits;
import io.moebius.engine.Engine;
import io.moebius.engine.Limits;
import io.moebius.engine.StepEngine;
import io.moebius.hub.EmbeddedModel;
import io.moebius.model.Decoder;
import io.moebius.model.Transformer;
import io.moebius.observe.Metrics;
import io.moebius.text.ModelText;
import jakarta.inject.Singleton;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** From open ports to a served model: find, open, load, plan, start, and generate one token. */
@Singleton
final class StartSequence {

    private static final int MAX_QUEUE = 4096;

    private final Settings settings;
    private final Readiness readiness;
    private final Metrics metrics;
    private final Console console;
    private final ApiKeys apiKeys;

    StartSequence(Settings settings, Readiness readiness, Metrics metrics, Console console, ApiKeys apiKeys) {
        this.settings = settings;
        this.readiness = readiness;
        this.metrics = metrics;
        this.console = console;
        this.apiKeys = apiKeys;
    }

    /**
     * @return empty if there is nothing to serve: the search that was asked for is done
     * @throws RuntimeException for whatever made it fail: {@link StartException#of} says what it means
     */
    Optional<Service> run() {
        String name = settings.required(ModelFlags.HF_MODEL_NAME);
        openApiKeys();
        Devices.check(settings.whole(EngineFlags.NUM_DEVICES), settings.required(EngineFlags.DEVICE));
        boolean embedded = name.equals(EmbeddedModel.NAME);
        if (!embedded) {
            LicenseCheck.of(settings, System.getenv()).start(readiness, metrics, console);
        }
        Backend backend = Backends.open(
                settings.required(EngineFlags.DEVICE), settings.required(EngineFlags.CPU_INSTRUCTIONS),
                settings.required(EngineFlags.ACTIVATIONS), console::warn);
        phase("finding the model");
        try (ModelFolder folder = ModelFolder.find(
                name, settings.required(ModelFlags.REVISION), System.getenv(), new DownloadProgress(this::downloading), console::warn)) {
            return serve(name, folder.path(), backend);
        }
    }

    private Optional<Service> serve(String name, Path folder, Backend backend) {
        phase("opening the checkpoint");
        Checkpoint checkpoint = settings.text(ModelFlags.QUANTIZATION)
                .map(bits -> Checkpoint.open(folder, weightBits(bits)))
                .orElseGet(() -> Checkpoint.open(folder));
        ModelConfig config = checkpoint.config();
        phase("opening the tokenizer");
        ModelText text = ModelText.open(folder, settings.text(ModelFlags.TOKENIZER_FILE_PATH).map(Path::of).orElse(null));
        int maxSequenceLength = maxSequenceLength(config);
        KernelPolicy policy = new KernelPolicy(settings, console, backend, checkpoint);
        backend.freeBytes().ifPresent(free -> console.show("  memory       %s of weights, %s free on the device%n"
                .formatted(Console.size(checkpoint.weightBytes()), Console.size(free))));
        phase("loading the weights");
        int maxSequences = (int) settings.whole(EngineFlags.MAX_BATCH_SIZE);
        int maxTokens = (int) Math.max(settings.whole(EngineFlags.MAX_TOKEN_COUNT), maxSequences);
        LoadRate rate = LoadRate.of(checkpoint.weightBytes());
        Decoder decoder = Transformer.load(checkpoint, backend, maxTokens, maxSequences, fraction -> {
            readiness.phase("loading the weights, " + rate.at(fraction), fraction);
            // A log gets the rate once, at the end.
            console.progress(fraction, Console.TERMINAL ? rate.at(fraction) : "");
        });
        console.show("  weights      %s%n".formatted(rate.at(1)));
        KvStorage storage = KvCacheType.of(settings.required(EngineFlags.KV_CACHE_DTYPE), checkpoint);
        KvCache.Shape shape = decoder.kvShape().stored(storage);
        long room = MemoryPlan.room(backend);
        MemoryPlan plan = MemoryPlan.of(room, backend.kvBlockBytes(shape), maxSequences, maxSequenceLength, ModelFlags.MAX_SEQUENCE_LENGTH);
        console.show(String.format(
                Locale.ROOT, "  KV cache     %,d tokens in %s, of %s that are free for it%n",
                plan.tokens(), Console.size(plan.bytes()), Console.size(room)));
        KvCache cache = backend.kvCache(shape, plan.blocks());
        if (policy.searching() && backend.bytesToCome() > 0) {
            phase("repacking the weights");
            backend.settle();
        }
        KernelPolicy.InForce kernels = usePolicy(policy, decoder, cache, maxSequences);
        if (settings.on(PolicyFlags.TERMINATE_AFTER_SEARCH)) {
            backend.close();
            text.tokenizer().close();
            return Optional.empty();
        }
        Limits limits = new Limits(maxSequences, maxTokens, kernels.promptTokens(), maxSequenceLength, MAX_QUEUE);
        Engine engine = new StepEngine(decoder, cache, limits, metrics, settings.on(ServerFlags.IGNORE_NAN_ERROR));
        phase("generating a first token");
        FirstToken.generate(engine, Math.max(0, text.tokenizer().bosToken()));
        metrics.observe(engine);
        console.ready(summary(name, checkpoint, backend, plan, KvCacheType.name(storage, backend), maxSequenceLength, kernels.line()));
        readiness.ready(servedModel(name, config, text, engine, maxSequenceLength));
        return Optional.of(new Service(engine, backend, text.tokenizer()));
    }

    private void openApiKeys() {
        try {
            apiKeys.open();
        } catch (IllegalArgumentException e) {
            throw new StartException(ExitCode.USAGE, e.getMessage());
        }
    }

    private void downloading(double fraction, String detail) {
        readiness.phase("downloading the model, " + detail, fraction);
        console.downloading(fraction, detail);
    }

    private KernelPolicy.InForce usePolicy(KernelPolicy policy, Decoder decoder, KvCache cache, int maxSequences) {
        if (policy.searching()) {
            phase("searching the policy");
        }
        return policy.use(decoder, cache, maxSequences, (fraction, detail) -> {
            readiness.phase("searching the policy, " + detail, fraction);
            console.progress(fraction, detail);
        });
    }

    private ServedModel servedModel(
            String name, ModelConfig config, ModelText text, Engine engine, int maxSequenceLength) {
        String served = settings.text(ModelFlags.SERVED_MODEL_NAME).orElse(name);
        Set<Integer> eos = config.eosTokens().stream()
                .filter(id -> id < config.vocabulary())
                .collect(Collectors.toUnmodifiableSet());
        return new ServedModel(
                served,
                served.equals(name) ? List.of() : List.of(name),
                Instant.now(),
                engine,
                text.tokenizer(),
                text::chatIds,
                config.vocabulary(),
                ServedModel.longestTokenBytes(text.tokenizer()),
                maxSequenceLength,
                settings.on(ModelFlags.TOKENIZER_ADD_SPECIAL_TOKENS),
                settings.on(ModelFlags.TOKENIZER_SKIP_SPECIAL_TOKENS),
                eos,
                List.of(),
                Duration.ofNanos(1000 * settings.whole(ServerFlags.TIMEOUT)));
    }

    private Summary summary(
            String name, Checkpoint checkpoint, Backend backend, MemoryPlan plan, String cacheType,
            int maxSequenceLength, String policy) {
        return new Summary(
                name,
                checkpoint.format(),
                checkpoint.weightBytes(),
                backend.description(),
                backend.activations() == Activations.EIGHT_BIT
                        ? "8bit, quantised as the checkpoint says"
                        : "16bit, unquantised (weight-only FP8)",
                plan,
                cacheType,
                maxSequenceLength,
                policy,
                settings.port("quarkus.http.port"),
                settings.port("quarkus.management.port"),
                Duration.ofMillis(ManagementFactory.getRuntimeMXBean().getUptime()));
    }

    private static WeightBits weightBits(String flag) {
        return switch (flag) {
            case "8bit" -> WeightBits.EIGHT;
            case "4bit" -> WeightBits.FOUR;
            default -> WeightBits.SIXTEEN;
        };
    }

    private int maxSequenceLength(ModelConfig config) {
        int asked = settings.text(ModelFlags.MAX_SEQUENCE_LENGTH).map(Integer::parseInt).orElse(config.maxPositions());
        if (asked > config.maxPositions()) {
            throw new StartException(ExitCode.USAGE, "--max-sequence-length is %d; the model has %d positions, give at most that"
                    .formatted(asked, config.maxPositions()));
        }
        return asked;
    }

    private void phase(String name) {
        readiness.phase(name, 0);
        console.phase(name);
    }
}
