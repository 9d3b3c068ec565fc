package io.moebius.license;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * The keys that secrets may be signed with.
 *
 * @param allowMore whether whoever runs the program may add keys of his own
 */
public record PublicKeys(Map<String, PublicKey> byId, boolean allowMore) {

    /** Those of license-keys.json in the program. */
    public static PublicKeys builtIn() throws LicenseException {
        try (InputStream in = PublicKeys.class.getResourceAsStream("/license-keys.json")) {
            return parse(in.readAllBytes(), "the built-in license-keys.json");
        } catch (IOException e) {
            throw unreadable("the built-in license-keys.json", e.toString());
        }
    }

    /** These and those of {@code file}: a license-key.pub.json or a list like license-keys.json. */
    public PublicKeys and(Path file) throws LicenseException {
        if (!allowMore) {
            throw unreadable(file.toString(), "this image takes no keys but its own; leave --license-keys out");
        }
        try {
            Map<String, PublicKey> all = new HashMap<>(parse(Json.bytes(Files.newInputStream(file)), file.toString()).byId);
            all.putAll(byId);
            return new PublicKeys(Map.copyOf(all), true);
        } catch (IOException e) {
            throw unreadable(file.toString(), "it cannot be read; give a license-key.pub.json");
        }
    }

    static PublicKeys parse(byte[] bytes, String name) throws LicenseException {
        JsonNode json;
        try {
            json = Json.read(bytes);
        } catch (LicenseException e) {
            throw unreadable(name, "it is not JSON");
        }
        if (json.findValue("private") != null) {
            throw unreadable(name, "it holds a private key, which must not be here; give the license-key.pub.json beside it");
        }
        if (json.has("keys") && !json.get("keys").isArray()) {
            throw unreadable(name, "\"keys\" is no list");
        }
        Map<String, PublicKey> keys = new HashMap<>();
        for (JsonNode key : json.has("keys") ? json.get("keys") : List.of(json)) {
            PublicKey opened = open(key.path("public").asText(), name);
            if (!id(opened).equals(key.path("id").asText())) {
                throw unreadable(name, "a key's id does not belong to it");
            }
            keys.put(id(opened), opened);
        }
        return new PublicKeys(Map.copyOf(keys), json.path("allow_more_keys").asBoolean(false));
    }

    private static PublicKey open(String encoded, String name) throws LicenseException {
        try {
            return KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(Token.decode(encoded)));
        } catch (GeneralSecurityException | LicenseException e) {
            throw unreadable(name, "a key in it is no Ed25519 public key; give the license-key.pub.json of secret keygen");
        }
    }

    /** The first 16 hexadecimal digits of the key's SHA-256. */
    static String id(PublicKey key) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(key.getEncoded()), 0, 8);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static LicenseException unreadable(String name, String why) {
        return new LicenseException(LicenseException.Kind.UNREADABLE, "license keys in " + name + ": " + why);
    }
}
