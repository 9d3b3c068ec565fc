package io.moebius.launch;

import jakarta.inject.Singleton;
import java.util.Optional;
import org.eclipse.microprofile.config.Config;

/** The checked values of the flags. */
@Singleton
final class Settings {

    private final Config config;

    Settings(Config config) {
        this.config = config;
    }

    Optional<String> text(Flag flag) {
        return config.getOptionalValue(flag.key(), String.class);
    }

    String required(Flag flag) {
        return config.getValue(flag.key(), String.class);
    }

    long whole(Flag flag) {
        return config.getValue(flag.key(), Long.class);
    }

    boolean on(Flag flag) {
        return config.getValue(flag.key(), Boolean.class);
    }

    /** The port that is really open, also where 0 was asked for. */
    int port(String key) {
        return config.getValue(key, Integer.class);
    }
}
