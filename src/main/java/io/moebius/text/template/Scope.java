package io.moebius.text.template;

import java.util.HashMap;
import java.util.Map;

/** Names that are set here, before those of the scopes around. */
final class Scope {

    private final Scope outer;
    private final Map<String, Object> names = new HashMap<>();

    Scope(Scope outer) {
        this.outer = outer;
    }

    Object get(String name) {
        for (Scope scope = this; scope != null; scope = scope.outer) {
            if (scope.names.containsKey(name)) {
                return scope.names.get(name);
            }
        }
        return new Values.Undefined(name);
    }

    void set(String name, Object value) {
        names.put(name, value);
    }
}
