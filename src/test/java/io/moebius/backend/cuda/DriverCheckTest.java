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
        assertThat(findings).extracting(DriverCheck.Finding::what).containsExactly("device", "kernels", "tensor map", "error", "copies");
        assertThat(findings).allSatisfy(finding -> assertThat(finding.passed()).as(finding.found()).isTrue());
        assertThat(findings.get(3).found()).contains("CUDA_ERROR_INVALID_VALUE at a launch that is wrong on purpose");
    }

    @Test
    void saysWhatFailedAndTriesTheRest() {
        EmulatedDriver.orderFailure("cuStreamBeginCapture_v2", 1, CUDA_ERROR_INVALID_VALUE);
        List<DriverCheck.Finding> findings = check.run();
        assertThat(findings.get(1).passed()).isFalse();
        assertThat(findings.get(1).found()).contains("cuStreamBeginCapture failed with CUDA_ERROR_INVALID_VALUE");
        assertThat(findings.get(4).passed()).isTrue();
    }

    @Test
    void bringsATileByATensorMap() {
        int encoded = EmulatedDriver.calls("cuTensorMapEncodeTiled");
        assertThat(check.run().get(2).found()).isEqualTo("moebius_fetch_tile brings the tile, 16 x 64 bytes over the edge of a matrix");
        assertThat(EmulatedDriver.calls("cuTensorMapEncodeTiled")).isEqualTo(encoded + 1);
    }

    @Test
    void saysThatATensorMapWasRefused() {
        EmulatedDriver.orderFailure("cuTensorMapEncodeTiled", 1, CUDA_ERROR_INVALID_VALUE);
        List<DriverCheck.Finding> findings = check.run();
        assertThat(findings.get(2).passed()).isFalse();
        assertThat(findings.get(2).found())
                .isEqualTo("cuTensorMapEncodeTiled failed with CUDA_ERROR_INVALID_VALUE at tiles of 16 x 64 of a matrix of 40 x 208 bytes");
        assertThat(findings.get(4).passed()).isTrue();
    }

    @Test
    void asksForNoTensorMapBeforeHopper() {
        DriverCheck.Finding finding = new TensorMapCheck(new RecordingDriver(1L << 40, 89), EmulatedDriver.FATBIN, 1).run();
        assertThat(finding.passed()).isTrue();
        assertThat(finding.found()).isEqualTo("none: the kernels for compute capability 8.9 do without the copy engine");
    }

    @Test
    void aTileThatDoesNotArriveIsNoProof() {
        DriverCheck.Finding finding = new TensorMapCheck(new RecordingDriver(), EmulatedDriver.FATBIN, 1).run();
        assertThat(finding.passed()).isFalse();
        assertThat(finding.found()).startsWith("moebius_fetch_tile brings something else than the tile");
    }
}
