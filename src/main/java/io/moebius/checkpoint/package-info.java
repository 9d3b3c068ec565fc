/**
 * Safetensors, config.json and the quantisation schemes: turns files into named {@link io.moebius.backend.Weight}s.
 * Memory-mapped; nothing is copied to the Java heap. Knows backend.
 */
package io.moebius.checkpoint;
