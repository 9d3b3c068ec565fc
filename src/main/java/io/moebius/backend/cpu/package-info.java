/**
 * C++ SIMD kernels through JavaCPP, one build per instruction set, chosen at load.
 * Knows backend.
 */
package io.moebius.backend.cpu;
