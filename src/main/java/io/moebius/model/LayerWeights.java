package io.moebius.model;

import io.moebius.backend.Backend;
import io.moebius.backend.Matrix;
import io.moebius.checkpoint.Checkpoint;
import io.moebius.checkpoint.ModelConfig;
import java.util.List;
import java.util.stream.IntStream;

/** The weights of one decoder layer, by the part of their canonical names after model.layers.N. */
record LayerWeights(Checkpoint checkpoint, Backend backend, int layer) {

    ModelConfig config() {
        return checkpoint.config();
    }

    /** The linear layer {@code name} [rows, columns]. */
    Matrix linear(String name, int rows, int columns) {
        return backend.load(checkpoint.linear(full(name), rows, columns));
    }

    /** The same layer of every expert: mlp.experts.E.name. */
    List<Matrix> experts(String name, int rows, int columns) {
        return backend.loadTogether(IntStream.range(0, config().experts())
                .mapToObj(expert -> checkpoint.linear(full("mlp.experts." + expert + "." + name), rows, columns))
                .toList());
    }

    /** The matrix {@code name} [rows, columns] that single tokens are compared with. */
    Matrix router(String name, int rows, int columns) {
        return backend.loadTable(checkpoint.linear(full(name), rows, columns));
    }

    /** The vector {@code name}, of a norm or a bias. */
    Matrix vector(String name, int length) {
        return backend.load(checkpoint.tensor(full(name), 1, length));
    }

    /** The same; null where there is none. */
    Matrix vectorOrNull(String name, int length) {
        return checkpoint.has(full(name)) ? vector(name, length) : null;
    }

    private String full(String name) {
        return "model.layers." + layer + "." + name;
    }
}
