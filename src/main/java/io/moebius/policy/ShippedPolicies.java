package io.moebius.policy;

import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;

/** The policies of the project's folder policy/, packed into the program. */
final class ShippedPolicies {

    private ShippedPolicies() {}

    /** The one for this model and machine, if it was made with these kernels. */
    static Optional<Policy> find(Origin origin) {
        try (InputStream in = ShippedPolicies.class.getResourceAsStream("/policy/" + origin.fileName())) {
            return in == null
                    ? Optional.empty()
                    : Optional.of(PolicyJson.read(in.readAllBytes())).filter(policy -> policy.origin().equals(origin));
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
