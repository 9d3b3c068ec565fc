package io.moebius.license;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Set;

/** The private half: issues secrets. It never belongs into an image. */
public final class SigningKey {

    private final String id;
    private final PrivateKey key;

    private SigningKey(String id, PrivateKey key) {
        this.id = id;
        this.key = key;
    }

    /** Writes license-key.json, mode 600, and license-key.pub.json; both must be new. */
    public static void generate(Path folder) throws IOException {
        KeyPair pair;
        try {
            pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
        ObjectNode open = JsonNodeFactory.instance.objectNode()
                .put("id", PublicKeys.id(pair.getPublic()))
                .put("public", Token.encode(pair.getPublic().getEncoded()));
        Files.createDirectories(folder);
        ObjectNode closed = open.deepCopy().put("private", Token.encode(pair.getPrivate().getEncoded()));
        Path openFile = folder.resolve("license-key.pub.json");
        if (Files.exists(openFile)) {
            throw new FileAlreadyExistsException(openFile.toString());
        }
        write(folder.resolve("license-key.json"), closed, "rw-------");
        write(openFile, open, "rw-r--r--");
    }

    private static void write(Path file, ObjectNode json, String mode) throws IOException {
        try (var channel = Files.newByteChannel(
                file,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(mode)))) {
            channel.write(ByteBuffer.wrap((json.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8)));
        }
    }

    /** @throws LicenseException where the file is no license-key.json */
    public static SigningKey open(Path file) throws LicenseException {
        try {
            JsonNode json = Json.read(Json.bytes(Files.newInputStream(file)));
            byte[] encoded = Token.decode(json.path("private").asText());
            return new SigningKey(
                    json.path("id").asText(),
                    KeyFactory.getInstance("Ed25519").generatePrivate(new PKCS8EncodedKeySpec(encoded)));
        } catch (IOException | GeneralSecurityException | LicenseException e) {
            throw new LicenseException(
                    LicenseException.Kind.UNREADABLE, file + " is no signing key; give the license-key.json of secret keygen");
        }
    }

    /** The secret itself. */
    public String issue(Claims claims) {
        try {
            String unsigned = Token.unsigned(id, claims);
            Signature signature = Signature.getInstance("Ed25519");
            signature.initSign(key);
            signature.update(unsigned.getBytes(StandardCharsets.US_ASCII));
            return unsigned + "." + Token.encode(signature.sign());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
