/**
 * Finds a model: a local folder, or a snapshot in the Hugging Face cache.
 * Knows net.
 */
package io.moebius.hub;
