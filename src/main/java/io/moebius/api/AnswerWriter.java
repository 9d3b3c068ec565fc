package io.moebius.api;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** The JSON of one request's answer in the shape of its API. */
interface AnswerWriter {

    /** The answer as a whole, once every choice has ended. */
    ObjectNode whole(Generation generation);

    /** Sends what a stream begins with, before the first token. */
    void begin(Exchange exchange, Generation generation) throws InterruptedException, ClientGoneException;

    /** Sends what is new in a choice, and its end where it has ended. */
    void progress(Exchange exchange, Choice choice) throws InterruptedException, ClientGoneException;

    /** The stream's last chunk, where the request asked for it. */
    ObjectNode usage(Generation generation);
}
