package io.moebius.api;

/** The client closed its connection before the answer was whole. */
final class ClientGoneException extends Exception {

    ClientGoneException() {
        super("the client has gone", null, false, false);
    }
}
