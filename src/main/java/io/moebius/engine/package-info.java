/**
 * Sequences, scheduler, KV-cache blocks, sampler and the step loop: the only thread that touches the model.
 * Knows model and backend.
 */
package io.moebius.engine;
