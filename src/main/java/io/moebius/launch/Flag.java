package io.moebius.launch;

import java.util.Locale;
import java.util.Optional;

/**
 * One launch flag.
 *
 * @param name         without the dashes
 * @param type         what a value may be
 * @param defaultValue null for none
 * @param description  one sentence for --help
 * @param idle         where the work comes later: the only value that is accepted; null: fully supported
 */
record Flag(String name, FlagType type, String defaultValue, String description, String idle) {

    static Flag of(String name, FlagType type, String defaultValue, String description) {
        return new Flag(name, type, defaultValue, description, null);
    }

    /** A flag that is accepted only with the value that asks for nothing; "" where every value asks for something. */
    static Flag notYet(String name, FlagType type, String idle, String description) {
        return new Flag(name, type, idle.isEmpty() ? null : idle, description, idle);
    }

    String option() {
        return "--" + name;
    }

    /** The environment's twin. */
    String variable() {
        return "MOEBIUS_" + name.replace('-', '_').toUpperCase(Locale.ROOT);
    }

    /** The configuration's key. */
    String key() {
        return "moebius." + name;
    }

    /** What is wrong with a value, if anything. */
    Optional<String> complaint(String value) {
        if (!type.allows(value)) {
            return Optional.of("allowed: " + type.allowed());
        }
        if (idle == null || value.equalsIgnoreCase(idle)) {
            return Optional.empty();
        }
        return Optional.of(idle.isEmpty() ? "it is not supported yet; leave it out" : "not supported yet; allowed: " + idle);
    }
}
