package io.moebius.license;

import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Signature;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;

/** Judges secrets offline. */
public final class Verifier {

    /** How far the clocks of the issuer and of this machine may differ. */
    private static final Duration SKEW = Duration.ofMinutes(5);

    private static final String GET_ONE =
            "get one from whoever built this image, or make a trial of your own (docs/licensing.md: secret keygen, secret issue --trial)";

    private final PublicKeys keys;
    private final Clock clock;
    private final Instant built;

    /** @param built before which no right clock can be */
    public Verifier(PublicKeys keys, Clock clock, Instant built) {
        this.keys = keys;
        this.clock = clock;
        this.built = built;
    }

    /**
     * @param revoked ids of secrets that are no longer valid
     * @throws LicenseException with the one reason for which {@code secret} does not let {@code devices} devices serve now
     */
    public Claims verify(String secret, int devices, Set<String> revoked) throws LicenseException {
        Claims claims = authentic(secret);
        if (revoked.contains(claims.id())) {
            throw refusal(LicenseException.Kind.REVOKED, "the container secret %s has been revoked; %s", claims.id(), GET_ONE);
        }
        Instant now = clock.instant();
        if (now.isBefore(built.minus(Duration.ofDays(1)))) {
            throw refusal(LicenseException.Kind.CLOCK_SET_BACK,
                    "this machine's clock says %s, before this program was built (%s); set the clock", now, built);
        }
        if (now.isBefore(claims.notBefore().minus(SKEW))) {
            throw refusal(LicenseException.Kind.NOT_YET_VALID,
                    "the container secret is valid from %s and it is %s; wait, or set this machine's clock", claims.notBefore(), now);
        }
        if (!now.isBefore(claims.expires().plus(SKEW))) {
            throw refusal(LicenseException.Kind.EXPIRED, "the container secret expired on %s; %s", claims.expires(), GET_ONE);
        }
        if (devices > claims.devices()) {
            throw refusal(LicenseException.Kind.TOO_FEW_DEVICES,
                    "the container secret allows %d devices and --num-devices is %d; give at most that, or get a secret for more",
                    claims.devices(), devices);
        }
        return claims;
    }

    /** The claims of a secret that a known key has signed, whatever they say. */
    public Claims authentic(String secret) throws LicenseException {
        if (secret.equalsIgnoreCase("YOUR CONTAINER SECRET")) {
            throw refusal(LicenseException.Kind.PLACEHOLDER,
                    "FRIENDLI_CONTAINER_SECRET still holds the example's placeholder; %s", GET_ONE);
        }
        if (!secret.startsWith(Token.PREFIX)) {
            throw refusal(LicenseException.Kind.FOREIGN,
                    "the container secret is not one of Moebius; a secret issued by Friendli cannot be checked here; %s", GET_ONE);
        }
        Token token = Token.parse(secret);
        PublicKey key = keys.byId().get(token.keyId());
        if (key == null) {
            throw refusal(LicenseException.Kind.UNKNOWN_KEY,
                    "the container secret is signed with a key that this program does not know; give its license-key.pub.json by --license-keys");
        }
        if (!signed(token, key)) {
            throw refusal(LicenseException.Kind.BAD_SIGNATURE,
                    "the container secret's signature is wrong: it was changed or is forged; copy it again, or %s", GET_ONE);
        }
        return token.claims();
    }

    private static boolean signed(Token token, PublicKey key) {
        try {
            Signature signature = Signature.getInstance("Ed25519");
            signature.initVerify(key);
            signature.update(token.signed());
            return signature.verify(token.signature());
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    private static LicenseException refusal(LicenseException.Kind kind, String line, Object... values) {
        return new LicenseException(kind, line.formatted(values));
    }
}
