package io.moebius.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.backend.Site;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportTest {

    private static final Origin ORIGIN = new Origin("b1", "A <GPU>", 2, 0, 1, "toy", "fp8");
    private static final Site SITE = new Site("project", "64 x 64");
    private static final Choice DEFAULT = new Choice(SITE, 1, "a", 20, 20, "b", 22, 10);
    private static final Choice FASTER = new Choice(SITE, 8, "b", 1_000, 2_500, "a", 2_500, 800);
    private static final Choice SHAPE = new Choice(StepShape.SITE, 512, "128 prompt tokens", 500_000, 2_000_000, "64 prompt tokens", 300_000, 0);
    private static final Policy POLICY = new Policy(ORIGIN, List.of(DEFAULT, FASTER, SHAPE));

    @Test
    void showsEachChoiceInColumns() {
        assertThat(Report.all(POLICY)).contains("""
                project 64 x 64
                  tokens  variant     time  default   gain  of bound  next best  its time
                       1  a        20.0 us  20.0 us             50 %  b           22.0 us
                       8  b        1.00 ms  2.50 ms  2.50x      80 %  a           2.50 ms
                """);
    }

    @Test
    void namesWhatDiffersFromTheDefaults() {
        assertThat(Report.changes(POLICY)).contains("""
                  project 64 x 64
                  tokens  variant  default   chosen   gain  of bound
                       8  b        2.50 ms  1.00 ms  2.50x      80 %
                """, "2 of 3 choices differ").doesNotContain("20.0 us");
    }

    @Test
    void namesWhatDiffersBetweenTwo() {
        Policy other = new Policy(ORIGIN, List.of(DEFAULT, new Choice(SITE, 8, "c", 1, 2, "", 0, 0)));
        assertThat(Report.difference(POLICY, POLICY)).isEmpty();
        assertThat(Report.difference(POLICY, other).lines().map(String::strip)).containsExactly(
                "site                               tokens  first              second",
                "project 64 x 64                         8  b                  c",
                "step prompt tokens beside decodes     512  128 prompt tokens  -");
    }

    @Test
    void saysWhatTheShapeOfAStepIsWorth() {
        assertThat(Report.shape(SHAPE)).isEqualTo("steps of at most 512 tokens read 128 of prompts beside decodes: "
                + "256 prompt tokens/s, a decode waits 500.00 ms (with all: 254 tokens/s, 2.00 s)");
    }

    @Test
    void saysWhatASearchGained(@TempDir Path folder) {
        ToyMachine machine = new ToyMachine(0).kernel("project", 1_000_000, 500_000).mixing(20_000, 10_000);
        Tuner tuner = new Tuner(machine, machine, ORIGIN, new PolicyFolder(folder), machine::clock);
        Tuner.Outcome outcome = tuner.search(List.of(1, 1024), Duration.ofDays(1), (tokens, fraction, left) -> {});
        assertThat(Report.gains(outcome))
                .contains("  tokens  step     default     chosen  measured  predicted\n")
                .contains("       1  decode   2.00 ms    1.00 ms     2.00x      2.00x\n")
                .contains("     725  prefill   1.45 s  725.00 ms     2.00x\n")
                .contains("read 128 of prompts");
    }

    @Test
    void listsEachVariantWithItsTokenCounts() {
        ToyMachine machine = new ToyMachine(0).kernel("attend", 2, 1);
        assertThat(Report.catalogue(machine, List.of(ToyMachine.site("attend")), List.of(1, 2, 128))).isEqualTo("""
                attend 64 x 64: 2 variants
                  variant  tokens (* default)
                  v0       1* 2* 128*
                  v1       1 2 128

                step prompt tokens beside decodes: 2 variants
                  variant            tokens (* default)
                  128 prompt tokens  128*
                  64 prompt tokens   128

                """);
    }

    @Test
    void thePageNeedsNothingElseAndRunsNothing() {
        assertThat(HtmlReport.page(POLICY))
                .contains("A &lt;GPU&gt;", "<svg ", "project 64 x 64", "a decode waits 500.00 ms", "2.50&times;", "80 %")
                .doesNotContain("<script", "http:", "https:", "<link", "A <GPU>");
    }
}
