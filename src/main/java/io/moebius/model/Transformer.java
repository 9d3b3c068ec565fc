package io.moebius.model;

import io.moebius.backend.Backend;
import io.moebius.backend.Batch;
import io.moebius.backend.DeviceSampler;
import io.moebius.backend.KvCache;
import io.moebius.backend.KvStorage;
import io.moebius.backend.Matrix;
import io.moebius.backend.Program;
import io.moebius.backend.Rope;
import io.moebius.backend.Tensor;
import io.moebius.checkpoint.Checkpoint;
import io.moebius.checkpoint.ModelConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.DoubleConsumer;

/** Embedding, layers of attention and feed-forward, norm and head: the decoder that all families share. */
public final class Transformer implements Decoder {

    private final ModelConfig config;
    private final Backend backend;
    private final Rope rope;
    private final Workspace workspace;
    private final Optional<DeviceSampler> sampler;
    private final Matrix embedding;
    private final List<DecoderLayer> layers;
    private final Matrix norm;
    private final Matrix head;
    private final Program program = new Program() {
        @Override
        public int mostLogitRows() {
            return workspace.maxSequences();
        }

        @Override
        public Tensor run(Batch batch, KvCache cache) {
            return step(batch, cache);
        }
    };

    private Transformer(
            ModelConfig config,
            Backend backend,
            Workspace workspace,
            Optional<DeviceSampler> sampler,
            Matrix embedding,
            List<DecoderLayer> layers,
            Matrix norm,
            Matrix head) {
        this.config = config;
        this.backend = backend;
        this.rope = RotaryFrequencies.of(config.headDim(), config.rotary());
        this.workspace = workspace;
        this.sampler = sampler;
        this.embedding = embedding;
        this.layers = layers;
        this.norm = norm;
        this.head = head;
    }

    /**
     * Loads all weights.
     *
     * @param maxTokens    most tokens of one step
     * @param maxSequences most sequences, hence rows of logits, of one step
     * @param progress     hears the loaded fraction, 0 to 1
     * @throws OutOfMemoryError if they cannot fit into the device's memory, before any is loaded
     */
    public static Transformer load(
            Checkpoint checkpoint, Backend backend, int maxTokens, int maxSequences, DoubleConsumer progress) {
        ModelConfig config = checkpoint.config();
        Family family = Family.of(config.architecture());
        requireRoom(checkpoint.leastBytes(), backend.freeBytes());
        Matrix embedding = backend.loadTable(
                checkpoint.tensor("model.embed_tokens.weight", config.vocabulary(), config.hidden()));
        List<DecoderLayer> layers = new ArrayList<>();
        for (int layer = 0; layer < config.layers(); layer++) {
            layers.add(family.load(new LayerWeights(checkpoint, backend, layer)));
            progress.accept((layer + 1.0) / config.layers());
        }
        Matrix norm = backend.load(checkpoint.tensor("model.norm.weight", 1, config.hidden()));
        Matrix head = config.tiedEmbeddings()
                ? embedding
                : backend.load(checkpoint.linear("lm_head", config.vocabulary(), config.hidden()));
        Workspace workspace = Workspace.allocate(config, backend, maxTokens, maxSequences);
        Optional<DeviceSampler> sampler = backend.sampler(maxSequences, config.vocabulary());
        return new Transformer(config, backend, workspace, sampler, embedding, List.copyOf(layers), norm, head);
    }

    private static void requireRoom(long bytes, OptionalLong free) {
        if (free.isPresent() && bytes > free.getAsLong()) {
            throw new OutOfMemoryError(
                    "the weights need %d MiB at least, %d MiB of the device's memory are free for them: stop what else uses it, or take a larger device"
                            .formatted(Math.ceilDiv(bytes, 1L << 20), free.getAsLong() >> 20));
        }
    }

    @Override
    public Tensor forward(Batch batch, KvCache cache) {
        return backend.run(program, batch, cache);
    }

    private Tensor step(Batch batch, KvCache cache) {
        Workspace.Step w = workspace.step(batch);
        backend.embed(batch, embedding, w.hidden());
        for (int layer = 0; layer < layers.size(); layer++) {
            layers.get(layer).attention().forward(backend, config, rope, batch, cache, layer, w);
            layers.get(layer).feedForward().forward(backend, config, w);
        }
        backend.gather(w.hidden(), batch.logitRows(), w.last());
        backend.rmsNorm(w.last(), norm, config.rmsNormEpsilon(), w.lastNormed());
        backend.project(w.lastNormed(), head, w.logits());
        return w.logits();
    }

    @Override
    public Backend backend() {
        return backend;
    }

    @Override
    public Optional<DeviceSampler> sampler() {
        return sampler;
    }

    @Override
    public int vocabulary() {
        return config.vocabulary();
    }

    @Override
    public int maxBatchTokens() {
        return workspace.maxTokens();
    }

    @Override
    public KvCache.Shape kvShape() {
        return new KvCache.Shape(config.layers(), config.kvHeads(), config.headDim(), config.slidingWindow(), new KvStorage.Native());
    }
}
