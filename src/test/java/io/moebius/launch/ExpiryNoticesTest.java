package io.moebius.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ExpiryNoticesTest {

    private static final Instant EXPIRES = Instant.parse("2026-06-30T12:00:00Z");
    private static final ExpiryNotices NOTICES = new ExpiryNotices(EXPIRES, EXPIRES.plus(Duration.ofHours(36)));

    @Test
    void comeDailyFromAWeekBeforeAndAtBothEnds() {
        List<String> moments = new ArrayList<>();
        for (Instant now = EXPIRES.minus(Duration.ofDays(28)); moments.size() < 12;) {
            now = NOTICES.after(now);
            moments.add(now.toString());
        }
        assertThat(moments).containsExactly(
                "2026-06-23T12:00:00Z", "2026-06-24T12:00:00Z", "2026-06-25T12:00:00Z", "2026-06-26T12:00:00Z", "2026-06-27T12:00:00Z",
                "2026-06-28T12:00:00Z", "2026-06-29T12:00:00Z", "2026-06-30T12:00:00Z", "2026-07-01T12:00:00Z", "2026-07-02T00:00:00Z",
                "2026-07-03T00:00:00Z", "2026-07-04T00:00:00Z");
    }

    @Test
    void areDueFromAWeekBefore() {
        assertThat(NOTICES.due(EXPIRES.minus(Duration.ofDays(8)))).isFalse();
        assertThat(NOTICES.due(EXPIRES.minus(Duration.ofDays(7)))).isTrue();
    }

    @Test
    void sayWhatIsToBeDoneAndWhatHappensElse() {
        assertThat(NOTICES.at(EXPIRES.minusSeconds(1))).contains("expires on 2026-06-30T12:00:00Z", "renew it");
        assertThat(NOTICES.at(EXPIRES)).contains("expired", "new requests are answered until 2026-07-02T00:00:00Z");
        assertThat(NOTICES.at(EXPIRES.plus(Duration.ofDays(3)))).contains("new requests are refused since 2026-07-02T00:00:00Z");
    }

    @Test
    void areGivenEveryDayWithoutGraceToo() {
        ExpiryNotices strict = new ExpiryNotices(EXPIRES, EXPIRES);
        assertThat(strict.after(EXPIRES.minusSeconds(1))).isEqualTo(EXPIRES);
        assertThat(strict.at(EXPIRES)).contains("refused since");
        assertThat(strict.after(EXPIRES)).isEqualTo(EXPIRES.plus(Duration.ofDays(1)));
    }
}
