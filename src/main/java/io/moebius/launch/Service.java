package io.moebius.launch;

import io.moebius.backend.Backend;
import io.moebius.engine.Engine;
import io.moebius.text.Tokenizer;

/** What a start has made, closed in the order that each needs the next. */
record Service(Engine engine, Backend backend, Tokenizer tokenizer) implements AutoCloseable {

    @Override
    public void close() {
        engine.close();
        backend.close();
        tokenizer.close();
    }
}
