package io.moebius.license;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyFactory;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VerifierTest {

    private static final Instant NOW = Instant.parse("2026-06-01T00:00:00Z");
    private static final Claims CLAIMS =
            new Claims("0123456789abcdef0123456789abcdef", "Ünal & Co", NOW, NOW, NOW.plus(Duration.ofDays(28)), 2);

    @TempDir
    private Path folder;

    private PublicKeys keys;
    private String secret;

    @BeforeEach
    void makesAKeyPair() throws Exception {
        SigningKey.generate(folder);
        keys = new PublicKeys(Map.of(), true).and(folder.resolve("license-key.pub.json"));
        secret = SigningKey.open(folder.resolve("license-key.json")).issue(CLAIMS);
    }

    @Test
    void acceptsWhatTheKeyHasSigned() throws Exception {
        assertThat(at(NOW).verify(secret, 2, Set.of())).isEqualTo(CLAIMS);
    }

    @Test
    void thePrivateKeyIsForItsOwnerAlone() throws Exception {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve("license-key.json"))))
                .isEqualTo("rw-------");
    }

    @Test
    void refusesEveryFlippedBit() {
        for (int i = 0; i < secret.length(); i++) {
            for (int bit = 0; bit < 8; bit++) {
                char[] flipped = secret.toCharArray();
                flipped[i] ^= (char) (1 << bit);
                assertThat(kind(new String(flipped), 1)).as("character %d bit %d", i, bit).isNotNull();
            }
        }
    }

    @Test
    void refusesEveryTruncation() {
        for (int length = 0; length < secret.length(); length++) {
            assertThat(kind(secret.substring(0, length), 1)).isNotNull();
        }
    }

    @Test
    void refusesOtherAlgorithms() throws Exception {
        String claims = secret.split("\\.")[2];
        String id = keys.byId().keySet().iterator().next();
        byte[] publicKey = keys.byId().get(id).getEncoded();
        for (String algorithm : new String[] {"none", "HS256", "ed25519", "EdDSA"}) {
            String unsigned = Token.PREFIX + part("{\"alg\":\"" + algorithm + "\",\"kid\":\"" + id + "\"}") + "." + claims;
            Mac mac = Mac.getInstance("HmacSHA512");
            mac.init(new SecretKeySpec(publicKey, "HmacSHA512"));
            byte[] signature = mac.doFinal(unsigned.getBytes(StandardCharsets.US_ASCII));
            assertThat(kind(unsigned + "." + Token.encode(signature), 1)).isEqualTo(LicenseException.Kind.MALFORMED);
            assertThat(kind(unsigned + ".", 1)).isEqualTo(LicenseException.Kind.MALFORMED);
        }
    }

    @Test
    void refusesASwappedKeyId() throws Exception {
        SigningKey.generate(folder.resolve("other"));
        PublicKeys both = keys.and(folder.resolve("other/license-key.pub.json"));
        String[] parts = secret.split("\\.");
        for (String id : both.byId().keySet()) {
            String swapped = Token.unsigned(id, CLAIMS) + "." + parts[3];
            boolean own = keys.byId().containsKey(id);
            LicenseException refusal = catchThrowableOfType(LicenseException.class,
                    () -> new Verifier(both, Clock.fixed(NOW, ZoneOffset.UTC), NOW).verify(swapped, 1, Set.of()));
            assertThat(refusal == null).isEqualTo(own);
        }
        assertThat(kind(Token.unsigned("0000000000000000", CLAIMS) + "." + parts[3], 1))
                .isEqualTo(LicenseException.Kind.UNKNOWN_KEY);
    }

    @Test
    void refusesHugeAndNonAsciiTokens() {
        assertThat(kind("moebius1." + "A".repeat(10_000_000), 1)).isEqualTo(LicenseException.Kind.MALFORMED);
        assertThat(kind(secret + "\u00e4", 1)).isEqualTo(LicenseException.Kind.MALFORMED);
    }

    @Test
    void refusesWhatTheKeySignedButIsNoSetOfClaims() throws Exception {
        String claims = CLAIMS.json().toString();
        assertThat(kind(signed(claims), 1)).isNull();
        for (String wrong : new String[] {
            claims.replace("{", "{\"exp\":99999999999,"), claims.replace("}", ",\"exp\":99999999999}"), claims.replace("}", ",\"more\":1}"),
            claims.replace("\"devices\":2", "\"devices\":0"), claims.replace("\"devices\":2", "\"devices\":\"2\""),
            claims.replace("\"devices\":2", "\"devices\":2.5"), claims.replace("\"exp\":", "\"exp\":-"),
            claims.replace("\"exp\":", "\"exp\":9999999999"), claims.replace("Ünal", "\\u001b[31m"), claims + " {}", "[]", "7", "", "null"
        }) {
            assertThat(kind(signed(wrong), 1)).as(wrong).isEqualTo(LicenseException.Kind.MALFORMED);
        }
    }

    /** With the signing key, whatever the claims are. */
    private String signed(String claims) throws Exception {
        JsonNode key = Json.read(Files.readAllBytes(folder.resolve("license-key.json")));
        String unsigned = Token.unsigned(key.get("id").asText(), CLAIMS);
        unsigned = unsigned.substring(0, unsigned.lastIndexOf('.') + 1) + part(claims);
        Signature signature = Signature.getInstance("Ed25519");
        signature.initSign(KeyFactory.getInstance("Ed25519")
                .generatePrivate(new PKCS8EncodedKeySpec(Token.decode(key.get("private").asText()))));
        signature.update(unsigned.getBytes(StandardCharsets.US_ASCII));
        return unsigned + "." + Token.encode(signature.sign());
    }

    @Test
    void travelsThroughTime() {
        assertThat(kindAt(NOW.minus(Duration.ofHours(1)))).isEqualTo(LicenseException.Kind.NOT_YET_VALID);
        assertThat(kindAt(NOW.minus(Duration.ofMinutes(4)))).isNull();
        assertThat(kindAt(CLAIMS.expires().plus(Duration.ofMinutes(4)))).isNull();
        assertThat(kindAt(CLAIMS.expires().plus(Duration.ofMinutes(5)))).isEqualTo(LicenseException.Kind.EXPIRED);
        assertThat(kindAt(NOW.minus(Duration.ofDays(2)))).isEqualTo(LicenseException.Kind.CLOCK_SET_BACK);
    }

    @Test
    void everyRefusalSaysWhatToDoInALineOfItsOwn() {
        String forged = secret.substring(0, secret.length() - 8) + "AAAAAAAA";
        Map<LicenseException.Kind, LicenseException> refusals = Stream.of(
                        refusal(NOW, "your container secret", 1), refusal(NOW, "flp_abcdef", 1), refusal(NOW, "moebius1.a", 1),
                        refusal(NOW, Token.unsigned("0".repeat(16), CLAIMS) + "." + secret.split("\\.")[3], 1),
                        refusal(NOW, forged, 1), refusal(CLAIMS.expires().plus(Duration.ofDays(1)), secret, 1),
                        refusal(NOW.minus(Duration.ofHours(1)), secret, 1), refusal(NOW.minus(Duration.ofDays(2)), secret, 1),
                        refusal(NOW, secret, 3))
                .collect(Collectors.toMap(LicenseException::kind, refusal -> refusal));
        Map.of(
                LicenseException.Kind.PLACEHOLDER, "get one",
                LicenseException.Kind.FOREIGN, "get one",
                LicenseException.Kind.MALFORMED, "copy it again",
                LicenseException.Kind.UNKNOWN_KEY, "--license-keys",
                LicenseException.Kind.BAD_SIGNATURE, "copy it again",
                LicenseException.Kind.EXPIRED, "get one",
                LicenseException.Kind.NOT_YET_VALID, "wait",
                LicenseException.Kind.CLOCK_SET_BACK, "set the clock",
                LicenseException.Kind.TOO_FEW_DEVICES, "give at most that")
                .forEach((kind, advice) -> assertThat(refusals.get(kind).getMessage()).contains(advice).doesNotContain("\n"));
        assertThat(refusals.values()).extracting(Throwable::getMessage).doesNotHaveDuplicates().hasSize(9);
    }

    @Test
    void survivesAHundredThousandFuzzedTokens() {
        Random random = new Random(16);
        for (int i = 0; i < 100_000; i++) {
            StringBuilder fuzzed = new StringBuilder(secret);
            for (int changes = 1 + random.nextInt(6); changes > 0 && !fuzzed.isEmpty(); changes--) {
                int at = random.nextInt(fuzzed.length());
                switch (random.nextInt(3)) {
                    case 0 -> fuzzed.setCharAt(at, (char) random.nextInt(300));
                    case 1 -> fuzzed.deleteCharAt(at);
                    default -> fuzzed.insert(at, (char) (32 + random.nextInt(95)));
                }
            }
            if (!fuzzed.toString().equals(secret)) {
                assertThat(kind(fuzzed.toString(), 1)).isNotNull();
            }
        }
    }

    private Verifier at(Instant now) {
        return new Verifier(keys, Clock.fixed(now, ZoneOffset.UTC), NOW);
    }

    private LicenseException refusal(Instant now, String text, int devices) {
        LicenseException refusal = catchThrowableOfType(LicenseException.class, () -> at(now).verify(text, devices, Set.of()));
        if (refusal != null && text.length() > 30) {
            assertThat(refusal.getMessage()).doesNotContain(text).doesNotContain("\n");
        }
        return refusal;
    }

    private LicenseException.Kind kindAt(Instant now) {
        LicenseException refusal = refusal(now, secret, 1);
        return refusal == null ? null : refusal.kind();
    }

    private LicenseException.Kind kind(String text, int devices) {
        LicenseException refusal = refusal(NOW, text, devices);
        return refusal == null ? null : refusal.kind();
    }

    private static String part(String json) {
        return Token.encode(json.getBytes(StandardCharsets.UTF_8));
    }
}
