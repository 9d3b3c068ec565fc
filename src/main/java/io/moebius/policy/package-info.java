/**
 * Which variant of each kernel runs best on this machine: search, file, choice, report.
 * Knows backend and model.
 */
package io.moebius.policy;
