package io.moebius.backend.cuda;

import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.ActivationQuantization.None;
import io.moebius.backend.ActivationQuantization.Static;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Computes deferred results in the format that is asked for, so that a norm writes the codes that the next product reads, a gated
 * product quantises on its way out, and expert outputs are summed by the norm after them.
 */
final class Evaluation {

    private final InputFormats formats;
    private final Products products;
    private final Norms norms;
    private final AttentionKernels attention;
    private final WeightUpload upload;
    private final GatedWeights gatedWeights;
    private final Map<Float, Long> fixedScales = new HashMap<>();
    /** The last attention, whose queries and batch the next one overwrites. */
    private ActivationBuffer attended;

    Evaluation(InputFormats formats, Products products, Norms norms, AttentionKernels attention, WeightUpload upload, GatedWeights gatedWeights) {
        this.formats = formats;
        this.products = products;
        this.norms = norms;
        this.attention = attention;
        this.upload = upload;
        this.gatedWeights = gatedWeights;
    }

    /** The rows in bf16, or in codes of {@code scheme}. */
    Operand operand(CudaTensor x, ActivationQuantization scheme) {
        ActivationBuffer buffer = x.buffer();
        if (scheme instanceof None ? !buffer.halves : !scheme.equals(buffer.codes)) {
            compute(x, scheme);
        }
        return scheme instanceof None ? buffer.halves(x.columns()) : codes(buffer, x.columns(), scheme);
    }

    private void compute(CudaTensor x, ActivationQuantization scheme) {
        ActivationBuffer buffer = x.buffer();
        switch (buffer.deferred) {
            case Deferred.Normed normed -> norm(normed, buffer, scheme);
            case Deferred.Product product when product.plain() && scheme instanceof None -> {
                multiply(product, buffer.halves(product.columns()), CudaKernels.STORE_BF16);
                buffer.halves = true;
            }
            case Deferred.Gated gated -> gate(gated, buffer, scheme);
            case Deferred.Attended attend -> attend(attend, buffer, scheme);
            case null, default -> convert(x, scheme);
        }
    }

    /** From a format that is there to one that isn't. */
    private void convert(CudaTensor x, ActivationQuantization scheme) {
        ActivationBuffer buffer = x.buffer();
        if (!buffer.floats && buffer.halves) {
            quantize(buffer, x.rows(), x.columns(), scheme);
            return;
        }
        floats(x);
        write(x, 0, 0, buffer, scheme, List.of(), "a change of format");
    }

    private void norm(Deferred.Normed normed, ActivationBuffer out, ActivationQuantization scheme) {
        ActivationBuffer source = normed.source().buffer();
        ensureFloats(normed.source());
        if (source.addend != null && source.addend.tokens() != normed.rows()) {
            settleAddend(source, normed.columns());
        }
        write(normed.source(), normed.weight().vector(), normed.epsilon(), out, scheme, normed.weight().asked, normed.weight().name());
        normed.weight().asked.add(scheme);
    }

    /** The rows of source, or their norm, in the format that is asked for; and in those {@code further} for which there is room. */
    private void write(
            CudaTensor source, long weight, double epsilon, ActivationBuffer out, ActivationQuantization asked,
            Collection<ActivationQuantization> further, String site) {
        boolean bf16 = asked instanceof None || further.contains(InputFormats.BF16);
        ActivationQuantization scheme = asked instanceof None
                ? further.stream().filter(other -> !(other instanceof None) && out.codes == null).findFirst().orElse(null)
                : asked;
        Operand halves = bf16 && !out.halves ? out.halves(source.columns()) : null;
        Operand codes = scheme == null ? null : codes(out, source.columns(), scheme);
        norms.run(source, weight, epsilon, halves, codes, scheme, site);
        out.halves |= bf16;
        out.codes = scheme == null ? out.codes : scheme;
    }

    private void gate(Deferred.Gated gated, ActivationBuffer out, ActivationQuantization scheme) {
        GatedWeights.Pair weights = gatedWeights.of(List.of(gated.gate()), List.of(gated.up()));
        Operand x = operand(gated.x(), formats.of(List.of(gated.gate().input(), gated.up().input()), weights.gate()));
        Products.Naming naming = new Products.Naming("project", "gate and up", gated.gate().name());
        gate(x, weights, Products.Rows.dense(gated.rows()), out, gated.columns(), scheme, naming);
    }

    /** silu(gate) * up in bf16 or codes of {@code scheme}. */
    Operand gate(
            Operand x, GatedWeights.Pair weights, Products.Rows rows, ActivationBuffer out, int columns, ActivationQuantization scheme,
            Products.Naming naming) {
        if (scheme instanceof Static(float scale)) {
            Operand codes = codes(out, columns, scheme);
            products.run(
                    x, weights.gate(), weights.up(), rows,
                    new Products.Output(codes.address(), codes.pitch(), CudaKernels.SWIGLU_E4M3, scale), naming);
            out.codes = scheme;
            return codes;
        }
        Operand halves = out.halves(columns);
        products.run(
                x, weights.gate(), weights.up(), rows, new Products.Output(halves.address(), halves.pitch(), CudaKernels.SWIGLU_BF16),
                naming);
        out.halves = true;
        return scheme instanceof None ? halves : quantize(out, rows.count(), columns, scheme);
    }

    private void attend(Deferred.Attended attend, ActivationBuffer out, ActivationQuantization scheme) {
        if (scheme instanceof Static(float scale)) {
            attention.attend(attend, codes(out, attend.columns(), scheme), scale);
            out.codes = scheme;
            return;
        }
        attention.attend(attend, out.halves(attend.columns()), 1);
        out.halves = true;
        if (!(scheme instanceof None)) {
            quantize(out, attend.rows(), attend.columns(), scheme);
        }
    }

    private Operand quantize(ActivationBuffer buffer, int rows, int columns, ActivationQuantization scheme) {
        Operand codes = codes(buffer, columns, scheme);
        norms.quantize(buffer.halves(columns), codes, rows, columns, scheme, "the input of a product");
        buffer.codes = scheme;
        return codes;
    }

    private Operand codes(ActivationBuffer buffer, int columns, ActivationQuantization scheme) {
        long fixed = scheme instanceof Static(float scale) ? fixedScales.computeIfAbsent(scale, upload::floats) : 0;
        return buffer.codes(columns, scheme, fixed);
    }

    /** Multiplies into rows of bf16 or float32, or adds to them. */
    void multiply(Deferred.Product product, Operand out, int epilogue) {
        multiply(product.x(), product.weight(), new Products.Output(out.address(), out.pitch(), epilogue));
    }

    void multiply(CudaTensor x, CudaMatrix matrix, Products.Output out) {
        products.run(
                operand(x, formats.of(matrix)), matrix.packed().only(matrix.index()), null, Products.Rows.dense(x.rows()), out,
                new Products.Naming("project", "", matrix.name()));
    }

    /** The float32 rows, with all that was to be added to them. */
    long floats(CudaTensor x) {
        ensureFloats(x);
        settleAddend(x.buffer(), x.columns());
        return x.buffer().floatsAddress();
    }

    private void ensureFloats(CudaTensor x) {
        ActivationBuffer buffer = x.buffer();
        if (buffer.floats) {
            return;
        }
        long address = buffer.floatsAddress();
        boolean plain = buffer.deferred == null || buffer.deferred instanceof Deferred.Product;
        if (buffer.deferred instanceof Deferred.Rotated || !buffer.halves && plain && !multipliable(buffer.deferred)) {
            throw new IllegalStateException("activations [%d, %d] are not there any more".formatted(x.rows(), x.columns()));
        }
        if (buffer.deferred instanceof Deferred.Product product && multipliable(product)) {
            multiply(product.x(), product.weight(), new Products.Output(address, product.columns(), CudaKernels.STORE_F32));
            buffer.floats = true;
            if (product.bias() != null) {
                norms.addVector(new CudaTensor(buffer, product.rows(), product.columns()), product.bias().vector(), product.bias().name());
            }
            return;
        }
        norms.widen(operand(x, InputFormats.BF16), address, x.rows(), x.columns());
        buffer.floats = true;
    }

    private static boolean multipliable(Deferred deferred) {
        return deferred instanceof Deferred.Product product && product.headNorm() == null;
    }

    void settleAddend(ActivationBuffer buffer, int columns) {
        if (buffer.addend != null) {
            norms.run(new CudaTensor(buffer, buffer.addend.tokens(), columns), 0, 0, null, null, null, "a sum of experts");
        }
    }

    /** Computes what is deferred and was not asked for yet. */
    void settle(ActivationBuffer buffer) {
        if (buffer == null || buffer.computed() || buffer.deferred == null || buffer.deferred instanceof Deferred.Rotated) {
            return;
        }
        CudaTensor all = new CudaTensor(buffer, buffer.deferred.rows(), buffer.deferred.columns());
        if (buffer.deferred instanceof Deferred.Product) {
            floats(all);
        } else {
            operand(all, InputFormats.BF16);
        }
    }

    /** What reads the buffer is computed now or never: its content is about to change. */
    void change(ActivationBuffer buffer) {
        for (ActivationBuffer reader : buffer.readers) {
            if (reader != buffer && reader.deferred != null && reader.deferred.reads(buffer)) {
                settle(reader);
                reader.deferred = null;
            }
        }
        buffer.readers.clear();
    }

    /** Forgets the content of the buffer, which is about to get another one. */
    void overwrite(ActivationBuffer buffer) {
        change(buffer);
        buffer.clear();
    }

    /** The norm takes the place of the rows, in bf16. */
    void normInPlace(CudaTensor x, CudaMatrix weight, double epsilon) {
        floats(x);
        change(x.buffer());
        x.buffer().halves = false;
        x.buffer().codes = null;
        write(x, weight.vector(), epsilon, x.buffer(), InputFormats.BF16, List.of(), weight.name());
        x.buffer().floats = false;
        x.buffer().deferred = null;
    }

    /** residual += x * transpose(weight). */
    void add(CudaTensor x, CudaMatrix weight, CudaTensor residual) {
        operand(x, formats.of(weight));
        long to = floats(residual);
        addTo(residual);
        multiply(x, weight, new Products.Output(to, residual.columns(), CudaKernels.ADD_F32));
    }

    /** Every row of x += bias. */
    void addBias(CudaTensor x, CudaMatrix bias) {
        floats(x);
        addTo(x);
        norms.addVector(x, bias.vector(), bias.name());
    }

    /** The next norm of the residual, or whoever reads it, adds these outputs. */
    void addLater(CudaTensor residual, ActivationBuffer.Addend addend) {
        floats(residual);
        addTo(residual);
        residual.buffer().addend = addend;
    }

    /** The float32 rows are about to change, and are the only ones that will be right. */
    private void addTo(CudaTensor residual) {
        change(residual.buffer());
        residual.buffer().deferred = null;
        residual.buffer().halves = false;
        residual.buffer().codes = null;
    }

    void attendLater(CudaTensor out, Deferred.Attended attend) {
        overwrite(out.buffer());
        out.buffer().defer(attend);
        attended = out.buffer();
    }

    /** Before the queries or the batch of the last attention are overwritten. */
    void settleAttention() {
        if (attended != null && attended.deferred instanceof Deferred.Attended) {
            settle(attended);
            attended.deferred = null;
        }
        attended = null;
    }
}
