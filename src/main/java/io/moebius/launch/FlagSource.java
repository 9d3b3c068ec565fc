package io.moebius.launch;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.eclipse.microprofile.config.spi.ConfigSource;

/**
 * The flags' values as configuration, above the environment. Quarkus makes the source itself, so that the parsed values wait
 * for it in a static field; without them, in tests, the defaults are there.
 */
public final class FlagSource implements ConfigSource {

    private static final int ABOVE_ENVIRONMENT = 350;
    private static final int BELOW_PROPERTIES = 50;
    private static final AtomicReference<Map<String, String>> PARSED = new AtomicReference<>();

    static void parsed(Map<String, String> values) {
        PARSED.set(Map.copyOf(values));
    }

    private static Map<String, String> values() {
        if (PARSED.get() != null) {
            return PARSED.get();
        }
        Map<String, String> defaults = new HashMap<>();
        FlagTable.all().filter(flag -> flag.defaultValue() != null).forEach(flag -> defaults.put(flag.key(), flag.defaultValue()));
        return defaults;
    }

    @Override
    public Set<String> getPropertyNames() {
        return values().keySet();
    }

    @Override
    public String getValue(String key) {
        return values().get(key);
    }

    @Override
    public String getName() {
        return "launch flags";
    }

    @Override
    public int getOrdinal() {
        return PARSED.get() == null ? BELOW_PROPERTIES : ABOVE_ENVIRONMENT;
    }
}
