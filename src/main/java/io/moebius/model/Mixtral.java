package io.moebius.model;

import io.moebius.backend.Backend;
import io.moebius.backend.Batch;
import io.moebius.backend.KvCache;
import io.moebius.backend.Matrix;
import io.moebius.backend.Rope;
import io.moebius.backend.Tensor;
import io.moebius.checkpoint.Checkpoint;
import io.moebius.checkpoint.ModelConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleConsumer;

/** Mixtral of experts (Jiang et al. 2024): pre-norm attention with grouped queries, then a sparse mixture of SwiGLU experts. */
public final class Mixtral implements Decoder {

    private final ModelConfig config;
    private final Backend backend;
    private final Rope rope;
    private final Workspace workspace;
    private final Matrix embedding;
    private final List<MixtralLayer> layers;
    private final Matrix norm;
    private final Matrix head;

    private Mixtral(
            ModelConfig config,
            Backend backend,
            Workspace workspace,
            Matrix embedding,
            List<MixtralLayer> layers,
            Matrix norm,
            Matrix head) {
        this.config = config;
        this.backend = backend;
        this.rope = new Rope(config.headDim(), config.ropeTheta());
        this.workspace = workspace;
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
     */
    public static Mixtral load(
            Checkpoint checkpoint, Backend backend, int maxTokens, int maxSequences, DoubleConsumer progress) {
        ModelConfig config = checkpoint.config();
        Matrix embedding = backend.load(
                checkpoint.tensor("model.embed_tokens.weight", config.vocabulary(), config.hidden()));
        List<MixtralLayer> layers = new ArrayList<>();
        for (int layer = 0; layer < config.layers(); layer++) {
            layers.add(MixtralLayer.load(checkpoint, backend, layer));
            progress.accept((layer + 1.0) / config.layers());
        }
        Matrix norm = backend.load(checkpoint.tensor("model.norm.weight", 1, config.hidden()));
        Matrix head = config.tiedEmbeddings()
                ? embedding
                : backend.load(checkpoint.linear("lm_head", config.vocabulary(), config.hidden()));
        Workspace workspace = Workspace.allocate(config, backend, maxTokens, maxSequences);
        return new Mixtral(config, backend, workspace, embedding, List.copyOf(layers), norm, head);
    }

    @Override
    public Tensor forward(Batch batch, KvCache cache) {
        Workspace.Step w = workspace.step(batch);
        backend.embed(batch, embedding, w.hidden());
        for (int layer = 0; layer < layers.size(); layer++) {
            attention(batch, cache, layer, w);
            mixtureOfExperts(layers.get(layer), w);
        }
        backend.gather(w.hidden(), batch.logitRows(), w.last());
        backend.rmsNorm(w.last(), norm, config.rmsNormEpsilon(), w.lastNormed());
        backend.project(w.lastNormed(), head, w.logits());
        return w.logits();
    }

    private void attention(Batch batch, KvCache cache, int index, Workspace.Step w) {
        MixtralLayer layer = layers.get(index);
        backend.rmsNorm(w.hidden(), layer.inputNorm(), config.rmsNormEpsilon(), w.normed());
        backend.project(w.normed(), layer.query(), w.query());
        backend.project(w.normed(), layer.key(), w.key());
        backend.project(w.normed(), layer.value(), w.value());
        backend.ropeAndStore(batch, rope, w.query(), w.key(), w.value(), cache, index);
        backend.attend(batch, w.query(), cache, index, w.attended());
        backend.projectAdd(w.attended(), layer.output(), w.hidden());
    }

    private void mixtureOfExperts(MixtralLayer layer, Workspace.Step w) {
        backend.rmsNorm(w.hidden(), layer.expertsNorm(), config.rmsNormEpsilon(), w.normed());
        backend.route(w.normed(), layer.router(), w.routing());
        backend.experts(w.normed(), w.routing(), layer.experts(), w.hidden());
    }

    @Override
    public Backend backend() {
        return backend;
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
        return new KvCache.Shape(config.layers(), config.kvHeads(), config.headDim());
    }
}
