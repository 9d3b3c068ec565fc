/**
 * The kernels a decoder is made of, and the memory they work on.
 * Knows no other package; reference, cpu and cuda implement {@link io.moebius.backend.Backend}.
 */
package io.moebius.backend;
