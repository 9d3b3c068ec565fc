package io.moebius.backend;

/** A weight that a backend has taken over, ready for its kernels. */
public interface Matrix {

    int rows();

    int columns();
}
