/**
 * Measures models and kernels against what the machine can do, and makes models of any shape to measure with.
 * Knows backend, checkpoint, model and engine.
 */
package io.moebius.bench;
