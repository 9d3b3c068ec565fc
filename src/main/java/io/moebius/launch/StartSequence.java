package io.moebius.launch;

import io.moebius.api.Readiness;
import io.moebius.api.ServedModel;
import io.moebius.backend.Activations;
import io.moebius.backend.Backend;
import io.moebius.backend.KvCache;
import io.moebius.checkpoint.Checkpoint;
import io.moebius.checkpoint.CheckpointException;
import io.moebius.checkpoint.ModelConfig;
import io.moebius.engine.Engine;
import io.moebius.engine.Limits;
import io.moebius.engine.StepEngine;
import io.moebius.hub.EmbeddedModel;
import io.moebius.hub.HubCache;
import io.moebius.hub.HubException;
import io.moebius.model.Decoder;
import io.moebius.model.Mixtral;
import io.moebius.observe.Metrics;
import io.moebius.text.ModelText;
import io.moebius.text.TextException;
import jakarta.inject.Singleton;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
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
    private final Console console = new Console();

    StartSequence(Settings settings, Readiness readiness, Metrics metrics) {
        this.settings = settings;
        this.readiness = readiness;
        this.metrics = metrics;
    }

    /** @throws StartException with its exit code */
    Service run() {
        String name = settings.required(ModelFlags.HF_MODEL_NAME);
        boolean embedded = name.equals(EmbeddedModel.NAME);
        Optional<Path> installed = InstalledFiles.find().map(InstalledFiles::demoModel).filter(demo -> embedded);
        if (!embedded) {
            LicenseCheck.of(settings, System.getenv()).start(readiness);
        }
        Path folder = null;
        try {
            phase("finding the model");
            folder = installed.isPresent() ? installed.get() : embedded
                    ? EmbeddedModel.unpack(Path.of(System.getProperty("java.io.tmpdir")))
                    : HubCache.of(System.getenv()).find(name, settings.required(ModelFlags.REVISION));
            return serve(name, folder);
        } catch (HubException e) {
            throw new StartException(ExitCode.MODEL_NOT_FOUND, e.getMessage());
        } catch (CheckpointException e) {
            throw new StartException(ExitCode.BAD_CHECKPOINT, e.getMessage());
        } catch (TextException e) {
            throw new StartException(ExitCode.BAD_TOKENIZER, e.getMessage());
        } finally {
            if (embedded && installed.isEmpty() && folder != null) {
                EmbeddedModel.delete(folder);
            }
        }
    }

    private Service serve(String name, Path folder) {
        phase("opening the checkpoint");
        Checkpoint checkpoint = Checkpoint.open(folder);
        ModelConfig config = checkpoint.config();
        phase("opening the tokenizer");
        ModelText text = ModelText.open(folder, settings.text(ModelFlags.TOKENIZER_FILE_PATH).map(Path::of).orElse(null));
        int maxSequenceLength = maxSequenceLength(config);
        Backend backend = Backends.open(settings.required(EngineFlags.DEVICE), activations());
        phase("loading the weights");
        int maxSequences = (int) settings.whole(EngineFlags.MAX_BATCH_SIZE);
        int maxTokens = (int) Math.max(settings.whole(EngineFlags.MAX_TOKEN_COUNT), maxSequences);
        Decoder decoder = Mixtral.load(checkpoint, backend, maxTokens, maxSequences, fraction -> {
            readiness.phase("loading the weights", fraction);
            console.progress(fraction);
        });
        MemoryPlan plan = MemoryPlan.of(
                FreeMemory.bytes(), backend.kvBlockBytes(decoder.kvShape()), maxSequences, maxSequenceLength);
        KvCache cache = backend.kvCache(decoder.kvShape(), plan.blocks());
        Limits limits = new Limits(maxSequences, maxTokens, maxSequenceLength, MAX_QUEUE);
        Engine engine = new StepEngine(decoder, cache, limits, metrics, settings.on(ServerFlags.IGNORE_NAN_ERROR));
        phase("generating a first token");
        FirstToken.generate(engine, Math.max(0, text.tokenizer().bosToken()));
        metrics.observe(engine);
        readiness.ready(servedModel(name, config, text, engine, maxSequenceLength));
        console.ready(summary(name, checkpoint, backend, plan, maxSequenceLength));
        return new Service(engine, backend, text.tokenizer());
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
            String name, Checkpoint checkpoint, Backend backend, MemoryPlan plan, int maxSequenceLength) {
        return new Summary(
                name,
                checkpoint.format(),
                checkpoint.weightBytes(),
                backend.description(),
                backend.activations() == Activations.EIGHT_BIT
                        ? "8bit, quantised as the checkpoint says"
                        : "16bit, unquantised (weight-only FP8)",
                plan,
                maxSequenceLength,
                policy(),
                settings.port("quarkus.http.port"),
                settings.port("quarkus.management.port"),
                Duration.ofMillis(ManagementFactory.getRuntimeMXBean().getUptime()));
    }

    /** No file is usable yet: there is no kernel with a choice. */
    private String policy() {
        return settings.text(PolicyFlags.ALGO_POLICY_DIR)
                .map(folder -> "default policy: no file in " + folder)
                .orElse("default policy");
    }

    private Activations activations() {
        return settings.required(EngineFlags.ACTIVATIONS).equals("8bit") ? Activations.EIGHT_BIT : Activations.SIXTEEN_BIT;
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
