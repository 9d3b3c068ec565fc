package io.moebius.launch;

import io.moebius.launch.FlagType.Switch;
import io.moebius.launch.FlagType.Text;
import io.moebius.launch.FlagType.Whole;
import java.util.List;

/** Policy search. */
final class PolicyFlags {

    static final Flag ALGO_POLICY_DIR =
            Flag.of("algo-policy-dir", new Text("a folder"), null, "Folder of policy files; without a file in it defaults are used.");
    static final Flag SEARCH_POLICY =
            Flag.of("search-policy", new Switch(), "false", "Search what the policy of --algo-policy-dir does not have yet, before serving.");
    static final Flag TERMINATE_AFTER_SEARCH =
            Flag.of("terminate-after-search", new Switch(), "false", "Exit once the search is done.");

    static final Flag SEARCH_BUDGET = Flag.of(
            "search-budget", new Whole(1, 1440), "15", "Minutes after which a search ends with what it has; a rerun goes on.");

    static final List<Flag> ALL = List.of(ALGO_POLICY_DIR, SEARCH_POLICY, TERMINATE_AFTER_SEARCH, SEARCH_BUDGET);

    private PolicyFlags() {}
}
