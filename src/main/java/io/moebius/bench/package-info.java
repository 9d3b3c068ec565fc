/**
 * Measures models and kernels against what the machine can do, and makes models of any shape to measure with.
 * Knows backend, checkpoint and model.
 */
package io.moebius.bench;
