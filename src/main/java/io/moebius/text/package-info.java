/**
 * Tokenizer, chat template, incremental detokenizer and stop strings.
 * Knows no other package.
 */
package io.moebius.text;
