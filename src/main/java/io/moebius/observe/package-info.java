/**
 * Metrics and logs.
 * Knows engine.
 */
package io.moebius.observe;
