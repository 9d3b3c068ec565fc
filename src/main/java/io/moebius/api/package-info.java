/**
 * HTTP endpoints, request and response records, validation, errors and streaming.
 * Knows text, engine and observe.
 */
package io.moebius.api;
