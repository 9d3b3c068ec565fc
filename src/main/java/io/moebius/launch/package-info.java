/**
 * The flag table, the start sequence, exit codes and what a person sees at the start.
 * Knows every other package; none knows it.
 */
package io.moebius.launch;
