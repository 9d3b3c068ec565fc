package io.moebius.observe;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.engine.EngineObserver.Outcome;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

@QuarkusTest
class MetricsTest {

    @Inject
    Metrics metrics;

    @Test
    void hasEverySeriesFromTheStart() {
        String text = scrape();
        for (String name : List.of(
                "friendli_requests_total", "friendli_responses_total", "friendli_items_total", "friendli_failure_by_cancel",
                "friendli_failure_by_timeout", "friendli_failure_by_nan_error", "friendli_failure_by_reject",
                "friendli_current_requests", "friendli_current_items", "friendli_current_assigned_items",
                "friendli_current_waiting_items", "friendli_tcache_hit_ratio_count", "friendli_input_lengths_sum",
                "friendli_output_lengths_count", "process_start_time_seconds")) {
            assertThat(text).containsPattern("(?m)^" + name + "(\\{[^}]*})? ");
        }
        for (String name : List.of("latencies", "ttft", "queueing_delays")) {
            for (String quantile : List.of("0.5", "0.9", "0.99")) {
                assertThat(text).containsPattern("(?m)^friendli_requests_" + name + "\\{quantile=\"" + quantile + "\",?} ");
            }
        }
        assertThat(text).containsPattern("(?m)^friendli_engine_version\\{version=\"[^\"]+\",?} 1");
        assertThat(text).containsPattern("(?m)^friendli_input_lengths_bucket\\{le=\"1000.0\",?} ");
        assertThat(text).doesNotContain("failure_by_cancel_total");
    }

    @Test
    void countsDurationsInNanoseconds() {
        metrics.queued(17);
        metrics.firstToken(Duration.ofMillis(1), Duration.ofMillis(2));
        metrics.left(Outcome.FINISHED, 3, Duration.ofSeconds(50));
        assertThat(scrape()).containsPattern("(?m)^friendli_requests_latencies\\{quantile=\"0.99\",?} (5\\.0|4\\.9)\\d*E10");
    }

    private static String scrape() {
        return given().port(managementPort()).get("/metrics").then().statusCode(200).extract().asString();
    }

    private static int managementPort() {
        return org.eclipse.microprofile.config.ConfigProvider.getConfig().getValue("quarkus.management.test-port", int.class);
    }
}
