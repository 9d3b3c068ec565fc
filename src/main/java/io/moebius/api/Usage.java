package io.moebius.api;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** Tokens read and written: the ending token counts, a prompt counts once whatever n is. */
final class Usage {

    private Usage() {}

    static ObjectNode of(GenerationPlan plan, Generation generation) {
        int completion = generation.choices().stream().mapToInt(choice -> choice.tokens().size()).sum();
        ObjectNode usage = JsonNodeFactory.instance.objectNode();
        usage.put("prompt_tokens", plan.promptTokens());
        usage.put("completion_tokens", completion);
        usage.put("total_tokens", plan.promptTokens() + completion);
        usage.putObject("prompt_tokens_details").put("cached_tokens", 0);
        return usage;
    }
}
