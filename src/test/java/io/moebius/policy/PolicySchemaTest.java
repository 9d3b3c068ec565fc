package io.moebius.policy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.moebius.backend.Site;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** policy/policy.schema.json names the fields that a saved policy has, no more and no fewer. */
class PolicySchemaTest {

    private static final ObjectMapper JSON = new ObjectMapper();

    @Test
    void namesTheFieldsOfASavedPolicy() throws Exception {
        JsonNode schema = JSON.readTree(Path.of("policy/policy.schema.json").toFile());
        JsonNode policy = JSON.readTree(PolicyJson.write(new Policy(
                new Origin("b", "d", 1, 0, 1, "m", "f"), List.of(new Choice(new Site("k", "s"), 1, "v", 1, 2, "r", 3, 1)))));
        assertThat(names(schema.get("properties"))).containsExactlyElementsOf(names(policy));
        JsonNode choice = schema.get("properties").get("choices").get("items").get("properties");
        assertThat(names(choice)).containsExactlyElementsOf(names(policy.get("choices").get(0)));
        assertThat(schema.get("properties").get("schema").get("const").intValue()).isEqualTo(PolicyJson.SCHEMA);
    }

    private static List<String> names(JsonNode object) {
        List<String> names = new ArrayList<>();
        object.fieldNames().forEachRemaining(names::add);
        return names;
    }
}
