package io.moebius.backend.reference;

import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.Activations;
import java.util.Arrays;

/** x * transpose(weight) for one row, its input quantised first where activations are 8-bit. */
record Linear(Activations activations) {

    float[] apply(float[] x, FloatMatrix weight) {
        ActivationQuantization scheme = activations == Activations.EIGHT_BIT
                ? weight.activation()
                : new ActivationQuantization.None();
        float[] input = Quantizer.apply(x, scheme);
        float[] out = new float[weight.rows()];
        for (int row = 0; row < out.length; row++) {
            double sum = 0;
            for (int c = 0; c < input.length; c++) {
                sum += (double) input[c] * weight.values()[row][c];
            }
            out[row] = (float) sum;
        }
        return out;
    }

    static float[] row(FloatTensor x, int t) {
        return Arrays.copyOfRange(x.values(), t * x.columns(), (t + 1) * x.columns());
    }
}
