package io.moebius.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;

/** rope_scaling or, of newer files, rope_parameters as {@link RotaryPositions}; what is absent is as transformers has it. */
final class RotaryReader {

    private static final String ORIGINAL = "original_max_position_embeddings";

    private RotaryReader() {}

    /**
     * @param theta        where the configuration has none
     * @param maxPositions max_position_embeddings
     */
    static RotaryPositions read(ConfigFields config, double theta, int maxPositions) {
        String key = says(config, "rope_scaling") ? "rope_scaling" : "rope_parameters";
        if (key.equals("rope_scaling") && says(config, "rope_parameters")) {
            throw config.wrong(key, "null beside rope_parameters");
        }
        JsonNode json = config.json().path(key);
        if (!config.absent(key) && !json.isObject() || json.findParent("rope_type") != null && !json.has("rope_type")) {
            throw config.wrong(key, "null, or an object with a rope_type and its numbers, the same for all layers");
        }
        ConfigFields rope = new ConfigFields(json, config.file() + ": " + key);
        for (ConfigFields fields : new ConfigFields[] {config, rope}) {
            if (fields.positive("partial_rotary_factor", 1) != 1) {
                throw fields.wrong("partial_rotary_factor", "1");
            }
        }
        double base = rope.positive("rope_theta", config.positive("rope_theta", theta));
        String type = rope.text("rope_type", rope.text("type", rope.absent("factor") ? "default" : ""));
        return new RotaryPositions(base, switch (type) {
            case "default" -> new RotaryPositions.Unscaled();
            case "linear" -> new RotaryPositions.Linear(rope.atLeast("factor", 1));
            case "llama3" -> llama3(rope);
            case "yarn" -> yarn(rope, base, maxPositions);
            default -> throw new CheckpointException("%s: rope_type is \"%s\"; allowed: \"default\", \"linear\", \"llama3\" and \"yarn\""
                    .formatted(rope.file(), type));
        });
    }

    private static boolean says(ConfigFields config, String key) {
        JsonNode json = config.json().path(key);
        return !config.absent(key) && !(json.isObject() && json.isEmpty());
    }

    private static RotaryPositions.Llama3 llama3(ConfigFields rope) {
        double low = rope.atLeast("low_freq_factor", 0);
        double high = rope.atLeast("high_freq_factor", 0);
        if (high <= low) {
            throw rope.wrong("high_freq_factor", "numbers over low_freq_factor, " + low);
        }
        return new RotaryPositions.Llama3(rope.atLeast("factor", 1), low, high, rope.integer(ORIGINAL, 1, 1 << 24));
    }

    private static RotaryPositions.Yarn yarn(ConfigFields rope, double theta, int maxPositions) {
        if (theta <= 1) {
            throw new CheckpointException("%s: rope_theta is %s; allowed with yarn: numbers over 1".formatted(rope.file(), theta));
        }
        int original = rope.integer(ORIGINAL, 1, 1 << 24, maxPositions);
        double factor = rope.absent("factor") && original < maxPositions ? (double) maxPositions / original : rope.atLeast("factor", 1);
        double fast = rope.positive("beta_fast", 32);
        double slow = rope.positive("beta_slow", 1);
        if (fast <= slow) {
            throw rope.wrong("beta_fast", "numbers over beta_slow, " + slow);
        }
        boolean whole = rope.absent("truncate") || rope.flag("truncate");
        return new RotaryPositions.Yarn(factor, fast, slow, original, whole, rope.positive("attention_factor", growth(rope, factor)));
    }

    private static double growth(ConfigFields rope, double factor) {
        double over = rope.positive("mscale", 0);
        double under = rope.positive("mscale_all_dim", 0);
        return over == 0 || under == 0 ? growth(factor, 1) : growth(factor, over) / growth(factor, under);
    }

    private static double growth(double factor, double share) {
        return 0.1 * share * Math.log(factor) + 1;
    }
}
