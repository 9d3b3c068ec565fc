package io.moebius.model;

/** One layer of a decoder. */
record DecoderLayer(Attention attention, FeedForward feedForward) {}
