package io.moebius.launch;

import io.moebius.launch.FlagType.Switch;
import io.moebius.launch.FlagType.Text;
import java.util.List;

/** Policy search. */
final class PolicyFlags {

    static final Flag ALGO_POLICY_DIR =
            Flag.of("algo-policy-dir", new Text("a folder"), null, "Folder of policy files; without a file in it defaults are used.");
    static final Flag SEARCH_POLICY =
            Flag.notYet("search-policy", new Switch(), "false", "Search the best policy for this machine before serving.");
    static final Flag TERMINATE_AFTER_SEARCH =
            Flag.notYet("terminate-after-search", new Switch(), "false", "Exit once the search is done.");

    static final List<Flag> ALL = List.of(ALGO_POLICY_DIR, SEARCH_POLICY, TERMINATE_AFTER_SEARCH);

    private PolicyFlags() {}
}
