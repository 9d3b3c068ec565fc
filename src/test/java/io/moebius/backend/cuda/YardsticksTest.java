package io.moebius.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.backend.Activations;
import org.junit.jupiter.api.Test;

class YardsticksTest {

    @Test
    void givesNoBoundsWhereTooLittleMemoryIsFreeToReadFromItForLong() {
        Driver driver = new RecordingDriver(1 << 20);
        long stream = driver.stream();
        Yardsticks yardsticks = new Yardsticks(driver, new Launcher(driver, new byte[0], stream), KernelTable.read(), stream);
        assertThat(yardsticks.roofline(Activations.EIGHT_BIT)).isEmpty();
    }
}
