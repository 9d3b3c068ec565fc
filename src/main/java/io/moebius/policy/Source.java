package io.moebius.policy;

import java.util.Optional;

/**
 * The policy that a start uses.
 *
 * @param where for people: its file, or that it came with the program
 */
public record Source(Policy policy, String where) {

    /**
     * The folder's own before one that ships.
     *
     * @throws PolicyException if the folder's file cannot be used; then none does
     */
    public static Optional<Source> find(Optional<PolicyFolder> folder, Origin origin) {
        return folder.flatMap(own -> own.find(origin).map(policy -> new Source(policy, own.file(origin).toString())))
                .or(() -> ShippedPolicies.find(origin).map(policy -> new Source(policy, "shipped with the program")));
    }
}
