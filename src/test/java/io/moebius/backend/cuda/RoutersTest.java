package io.moebius.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.backend.Activations;
import io.moebius.backend.DType;
import io.moebius.backend.RandomWeights;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which kernels choose experts and sort rows by them, on a driver that writes it down. */
class RoutersTest {

    private static final int HIDDEN = 16;

    @ParameterizedTest
    @CsvSource({"1, 0", "64, 0", "65, 1"})
    void smallStepsAreSortedByTheRoutersKernel(int tokens, int sorts) {
        RecordingDriver driver = new RecordingDriver();
        CudaBackend backend = new CudaBackend(Activations.SIXTEEN_BIT, driver, new byte[0], "recorded");
        RandomWeights random = new RandomWeights(1);
        backend.route(
                RandomWeights.fill(backend, random.floats(tokens * HIDDEN), tokens, HIDDEN),
                backend.loadTable(random.plain(DType.BF16, 4, HIDDEN)), backend.routing(tokens, 2));
        assertThat(driver.calls).filteredOn(call -> call.startsWith("launch moebius_route_tokens")).hasSize(1);
        assertThat(driver.calls).filteredOn(call -> call.startsWith("launch moebius_permute_tokens")).hasSize(sorts);
    }
}
