/**
 * Plain Java kernels, short and obvious: the oracle that every other backend is tested against.
 * Knows backend.
 */
package io.moebius.backend.reference;
