package io.moebius.license;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/**
 * A secret taken apart, not yet verified: {@code moebius1.HEADER.CLAIMS.SIGNATURE}, each part base64url without padding. The header is
 * {@code {"alg":"Ed25519","kid":KEY}}; the signature is over everything before its dot.
 *
 * @param signed    the bytes that the signature is over
 * @param signature 64 bytes
 */
record Token(String keyId, byte[] signed, byte[] signature, Claims claims) {

    static final String PREFIX = "moebius1.";
    private static final int MOST_CHARACTERS = 4096;
    private static final int SIGNATURE_BYTES = 64;

    static Token parse(String text) throws LicenseException {
        if (!text.startsWith(PREFIX) || text.length() > MOST_CHARACTERS) {
            throw Json.malformed();
        }
        String[] parts = text.split("\\.", -1);
        if (parts.length != 4) {
            throw Json.malformed();
        }
        JsonNode header = Json.read(decode(parts[1]));
        byte[] signature = decode(parts[3]);
        if (!header.isObject() || header.size() != 2 || !header.path("alg").asText().equals("Ed25519")
                || !header.path("kid").isTextual() || signature.length != SIGNATURE_BYTES) {
            throw Json.malformed();
        }
        byte[] signed = text.substring(0, text.lastIndexOf('.')).getBytes(StandardCharsets.US_ASCII);
        return new Token(header.get("kid").asText(), signed, signature, Claims.of(Json.read(decode(parts[2]))));
    }

    /** Everything but the signature and its dot. */
    static String unsigned(String keyId, Claims claims) {
        String header = JsonNodeFactory.instance.objectNode().put("alg", "Ed25519").put("kid", keyId).toString();
        return PREFIX + encode(header.getBytes(StandardCharsets.UTF_8)) + "."
                + encode(claims.json().toString().getBytes(StandardCharsets.UTF_8));
    }

    static String encode(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /** Refuses padding and spare bits: every value has one spelling. */
    static byte[] decode(String part) throws LicenseException {
        try {
            byte[] bytes = Base64.getUrlDecoder().decode(part);
            if (!encode(bytes).equals(part)) {
                throw Json.malformed();
            }
            return bytes;
        } catch (IllegalArgumentException e) {
            throw Json.malformed();
        }
    }
}
