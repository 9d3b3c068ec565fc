package io.moebius.license;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.util.Set;

/**
 * What a secret says; times in whole seconds.
 *
 * @param id       of this secret, for the revocation list
 * @param customer who it was issued to, one line of at most 200 characters
 * @param devices  most devices that --num-devices may ask for, at least 1
 */
public record Claims(String id, String customer, Instant issued, Instant notBefore, Instant expires, int devices) {

    private static final Set<String> NAMES = Set.of("jti", "sub", "iat", "nbf", "exp", "devices");
    private static final long LATEST = 253_402_300_799L;

    public Claims {
        if (!id.matches("[0-9a-f]{32}") || !customer.matches("[^\\p{Cc}\\p{Zl}\\p{Zp}]{1,200}") || devices < 1 || !expires.isAfter(notBefore)) {
            throw new IllegalArgumentException("the claims are out of their ranges");
        }
    }

    static Claims of(JsonNode json) throws LicenseException {
        if (!json.isObject() || json.size() != NAMES.size() || !NAMES.stream().allMatch(json::has)
                || !json.get("jti").isTextual() || !json.get("sub").isTextual() || !json.get("devices").isInt()) {
            throw Json.malformed();
        }
        try {
            return new Claims(json.get("jti").asText(), json.get("sub").asText(), time(json.get("iat")), time(json.get("nbf")),
                    time(json.get("exp")), json.get("devices").asInt());
        } catch (IllegalArgumentException e) {
            throw Json.malformed();
        }
    }

    private static Instant time(JsonNode seconds) throws LicenseException {
        if (!seconds.isIntegralNumber() || !seconds.canConvertToLong() || seconds.asLong() < 0 || seconds.asLong() > LATEST) {
            throw Json.malformed();
        }
        return Instant.ofEpochSecond(seconds.asLong());
    }

    ObjectNode json() {
        return JsonNodeFactory.instance.objectNode()
                .put("jti", id).put("sub", customer).put("iat", issued.getEpochSecond())
                .put("nbf", notBefore.getEpochSecond()).put("exp", expires.getEpochSecond()).put("devices", devices);
    }
}
