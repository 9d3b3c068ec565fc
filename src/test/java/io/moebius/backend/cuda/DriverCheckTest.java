package io.moebius.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Over the emulated driver. */
class DriverCheckTest {

    private static final int CUDA_ERROR_INVALID_VALUE = 1;

    private final DriverCheck check = new DriverCheck(EmulatedDriver.open(), EmulatedDriver.FATBIN);

    @Test
    void findsEverythingInOrder() {
        List<DriverCheck.Finding> findings = check.run();
        assertThat(findings).extracting(DriverCheck.Finding::what).containsExactly("device", "kernels", "error", "copies");
        assertThat(findings).allSatisfy(finding -> assertThat(finding.passed()).as(finding.found()).isTrue());
        assertThat(findings.get(2).found()).contains("CUDA_ERROR_INVALID_VALUE at a launch that is wrong on purpose");
    }

    @Test
    void saysWhatFailedAndTriesTheRest() {
        EmulatedDriver.orderFailure("cuStreamBeginCapture_v2", 1, CUDA_ERROR_INVALID_VALUE);
        List<DriverCheck.Finding> findings = check.run();
        assertThat(findings.get(1).passed()).isFalse();
        assertThat(findings.get(1).found()).contains("cuStreamBeginCapture failed with CUDA_ERROR_INVALID_VALUE");
        assertThat(findings.get(3).passed()).isTrue();
    }
}
