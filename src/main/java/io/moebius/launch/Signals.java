package io.moebius.launch;

import java.util.concurrent.atomic.AtomicBoolean;
import sun.misc.Signal;

/** SIGTERM and SIGINT: the first asks to stop, the second ends the process at once. */
final class Signals {

    private static final int BASE_STATUS = 128;

    private Signals() {}

    static void install(Runnable stop) {
        AtomicBoolean stopping = new AtomicBoolean();
        for (String name : new String[] {"TERM", "INT"}) {
            Signal.handle(new Signal(name), signal -> {
                if (stopping.getAndSet(true)) {
                    Runtime.getRuntime().halt(BASE_STATUS + signal.getNumber());
                }
                Thread.ofPlatform().name("stop").start(stop);
            });
        }
    }
}
