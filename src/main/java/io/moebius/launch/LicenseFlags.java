package io.moebius.launch;

import io.moebius.launch.FlagType.Text;
import io.moebius.launch.FlagType.Whole;
import java.util.List;

/** The container secret's check. */
final class LicenseFlags {

    static final Flag LICENSE_KEYS = Flag.of(
            "license-keys", new Text("a file"), null, "Public keys that secrets may be signed with, besides the built-in ones.");
    static final Flag LICENSE_GRACE = Flag.of(
            "license-grace", new Whole(0, 720), "24", "Hours after its secret's expiry for which a running server takes new requests.");

    static final Flag LICENSE_REVOCATIONS = Flag.of(
            "license-revocations", new Text("a file or https address"), null, "List of secrets that are no longer valid, by their ids.");

    static final List<Flag> ALL = List.of(LICENSE_KEYS, LICENSE_GRACE, LICENSE_REVOCATIONS);

    private LicenseFlags() {}
}
