package io.moebius.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DownloadProgressTest {

    private static final long MIB = 1 << 20;

    private final List<String> lines = new ArrayList<>();
    private final DownloadProgress progress = new DownloadProgress((fraction, detail) -> lines.add(fraction + " " + detail));

    @Test
    void givesAPartInTheUnitOfTheWhole() {
        progress.downloaded(512 * MIB, 2048 * MIB);
        assertThat(lines).containsExactly("0.25 0.5 of 2.0 GiB");
    }

    @Test
    void isQuietBetweenTheFirstBytesAndTheLast() {
        progress.downloaded(0, 4 * MIB);
        progress.downloaded(MIB, 4 * MIB);
        progress.downloaded(4 * MIB, 4 * MIB);
        assertThat(lines).hasSize(2).last().asString().startsWith("1.0 4.0 of 4.0 MiB");
    }

    @Test
    void countsLongTimesInMinutes() {
        assertThat(Console.left(Duration.ofSeconds(119))).isEqualTo("119 s left");
        assertThat(Console.left(Duration.ofSeconds(1790))).isEqualTo("29 min left");
    }
}
