/**
 * Decoders as readable lists of kernel calls, one class per architecture family.
 * Knows backend and checkpoint.
 */
package io.moebius.model;
