package io.moebius.backend;

/** The chosen experts and their weights, [tokens, topK] each, in the memory of the backend that made it. */
public interface Routing {

    /** Room, not use. */
    int tokens();

    int topK();
}
