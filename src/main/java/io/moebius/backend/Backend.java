package io.moebius.backend;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The kernels of a decoder, and the memory they work on. A call may return before its work is done; {@link #read} waits.
 * Every kernel treats each token on its own: the bits of a row never depend on the other rows of the step.
 * One thread calls at a time. Shapes are the caller's promise; implementations check them and throw IllegalArgumentException.
 */
public interface Backend extends AutoCloseable {

    /** For people: name, instruction set or device, threads. */
    String description();

    Activations activations();

    /** What this device can do at most, measured now; empty where nobody asks how near to it the kernels come. */
    default Optional<Roofline> roofline() {
        return Optional.empty();
    }

    /** Uninitialised activations. */
    Tensor tensor(int rows, int columns);

    Routing routing(int tokens, int topK);

    /** Takes a weight over; its mapped memory must stay open as long as this backend. */
    Matrix load(Weight weight);

    /** Takes weights of one shape over that will be used together, as the same matrices of all experts of a layer. */
    default List<Matrix> loadTogether(List<Weight> weights) {
        return weights.stream().map(this::load).toList();
    }

    /** Takes a matrix over whose rows are looked up, or compared with single tokens; it may be used as any other, too. */
    default Matrix loadTable(Weight weight) {
        return load(weight);
    }

    /**
     * Says which matrices will be multiplied as gates and ups: of one network, or of all experts of a layer, in their order. What that
     * takes beside the matrices themselves is made now, and no step has to.
     */
    default void prepareGates(List<Matrix> gates, List<Matrix> ups) {}

    /**
     * Bytes of the device's own memory that a KV cache may take, once weights and activations are there; empty where kernels work in
     * the memory of the host.
     */
    default OptionalLong freeBytes() {
        return OptionalLong.empty();
    }

    /** Bytes of the host's memory that loaded weights will still take behind the calls. */
    default long bytesToCome() {
        return 0;
    }

    /** Waits until all is done that goes on behind the calls: before something is measured. */
    default void settle() {}

    /**
     * Runs a step of a model; its logits stay valid until the next call. A backend may add rows to a batch that nobody sees, and may
     * repeat what it recorded when the program last ran on a batch of that size.
     */
    default Tensor run(Program program, Batch batch, KvCache cache) {
        return program.run(batch, cache);
    }

    /** Bytes that one block needs in {@link #kvCache}. */
    long kvBlockBytes(KvCache.Shape shape);

    KvCache kvCache(KvCache.Shape shape, int blocks);

    /** For people: the type that {@link KvStorage.Native} stores. */
    default String nativeKvType() {
        return "float32";
    }

    /** out[t] = table[tokens[t]]. */
    void embed(Batch batch, Matrix table, Tensor out);

    /** out = x / sqrt(mean(x^2) + epsilon) * weight for each row (Zhang and Sennrich 2019); out may be x. */
    void rmsNorm(Tensor x, Matrix weight, double epsilon, Tensor out);

    /** out = x * transpose(weight); x [T, columns], weight [rows, columns], out [T, rows]. */
    void project(Tensor x, Matrix weight, Tensor out);

    /** residual += x * transpose(weight). */
    void projectAdd(Tensor x, Matrix weight, Tensor residual);

    /** x[t] += bias, a matrix of one row. */
    void addBias(Tensor x, Matrix bias);

    /** gate = silu(gate) * up (Shazeer 2020). */
    void swiGlu(Tensor gate, Tensor up);

    /** Rotates query [T, heads * headDim] and key [T, kvHeads * headDim] in place, then stores key and value in the cache. */
    void ropeAndStore(Batch batch, Rope rope, Tensor query, Tensor key, Tensor value, KvCache cache, int layer);

    /**
     * Causal attention of every token to the earlier positions of its sequence that the cache's window lets it see; query heads share
     * key/value heads in order, scores are divided by sqrt(headDim). query and out: [T, heads * headDim].
     */
    void attend(Batch batch, Tensor query, KvCache cache, int layer, Tensor out);

    /** Softmax over router [experts, hidden] times x; the topK largest (ties: lower index), divided by their sum. */
    void route(Tensor x, Matrix router, Routing out);

    /** residual += sum over the chosen experts of weight * expert(x), added in the order of choice. */
    void experts(Tensor x, Routing routing, Experts experts, Tensor residual);

    /** out[i] = x[rows[i]]. */
    void gather(Tensor x, int[] rows, Tensor out);

    /**
     * What draws tokens from logits on this device; empty where the host must do it. There is one at a time.
     *
     * @param rows most rows of a draw
     */
    default Optional<DeviceSampler> sampler(int rows, int vocabulary) {
        return Optional.empty();
    }

    /** Waits for all work and copies row {@code row} of x to {@code out}. */
    void read(Tensor x, int row, float[] out);

    @Override
    void close();
}
