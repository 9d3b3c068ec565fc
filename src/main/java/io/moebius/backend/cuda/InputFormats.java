package io.moebius.backend.cuda;

import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.ActivationQuantization.None;
import io.moebius.backend.ActivationQuantization.Static;
import io.moebius.backend.Activations;
import java.util.List;

/** In which format a product reads its input: in the codes that its weights ask for, or in bf16. */
record InputFormats(Activations activations) {

    static final ActivationQuantization BF16 = new None();

    ActivationQuantization of(CudaMatrix matrix) {
        return of(List.of(matrix.input()), matrix.packed());
    }

    /** One that all of {@code wanted} can take, of what is multiplied with {@code weights}. */
    ActivationQuantization of(List<ActivationQuantization> wanted, PackedWeights weights) {
        if (activations == Activations.SIXTEEN_BIT || !weights.fp8()) {
            return BF16;
        }
        ActivationQuantization common = wanted.stream().reduce(InputFormats::common).orElseThrow();
        boolean alongK = common instanceof ActivationQuantization.PerGroup(int channels)
                && channels < weights.columns() && channels % KernelLayout.UNIT_ROW_BYTES != 0;
        return alongK ? BF16 : common;
    }

    /** The larger of two fixed scales clamps nothing that the smaller one doesn't. */
    private static ActivationQuantization common(ActivationQuantization a, ActivationQuantization b) {
        if (a.equals(b)) {
            return a;
        }
        if (a instanceof Static(float one) && b instanceof Static(float other)) {
            return new Static(Math.max(one, other));
        }
        return BF16;
    }

    /** The fixed scale of a router's inputs, or 0. */
    float ofRouter(CudaMatrix router) {
        return activations == Activations.EIGHT_BIT && router.input() instanceof Static(float scale) ? scale : 0;
    }
}
