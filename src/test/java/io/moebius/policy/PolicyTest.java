package io.moebius.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.backend.Site;
import java.util.List;
import org.junit.jupiter.api.Test;

class PolicyTest {

    @Test
    void missesTheSitesThatLackATokenCount() {
        Site whole = new Site("project", "64 x 64");
        Site half = new Site("attend", "8 heads");
        Site absent = new Site("lm_head", "64 x 64");
        Policy policy = new Policy(
                new Origin("b1", "Toy CPU", 2, 0, 1, "toy", "fp8"), List.of(choice(whole, 1), choice(whole, 2), choice(half, 1)));
        assertThat(policy.missing(List.of(whole, half, absent), List.of(1, 2))).containsExactly(half, absent);
        assertThat(policy.missing(List.of(whole, half), List.of(1))).isEmpty();
    }

    private static Choice choice(Site site, int tokens) {
        return new Choice(site, tokens, "v0", 1, 1, "", 0, 0);
    }
}
