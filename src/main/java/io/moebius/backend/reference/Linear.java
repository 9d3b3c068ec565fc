package io.moebius.backend.reference;

import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.Activations;
import java.util.Arrays;

/** x * transpose(weight) for one row, its input quantised first where activations are 8-bit. */
record Linear(Activations activations) {

    double[] apply(double[] x, DoubleMatrix weight) {
        ActivationQuantization scheme = activations == Activations.EIGHT_BIT
                ? weight.activation()
                : new ActivationQuantization.None();
        double[] input = Quantizer.apply(x, scheme);
        double[] out = new double[weight.rows()];
        for (int row = 0; row < out.length; row++) {
            double sum = 0;
            for (int c = 0; c < input.length; c++) {
                sum += input[c] * weight.values()[row][c];
            }
            out[row] = sum;
        }
        return out;
    }

    static double[] row(DoubleTensor x, int t) {
        return Arrays.copyOfRange(x.values(), t * x.columns(), (t + 1) * x.columns());
    }
}
