/**
 * Finds a model: a local folder, or a snapshot in the Hugging Face cache.
 * Knows no other package.
 */
package io.moebius.hub;
