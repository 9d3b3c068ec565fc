package io.moebius.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moebius.backend.Activations;
import io.moebius.backend.Backend;
import io.moebius.backend.KvCache;
import io.moebius.backend.cpu.CpuBackend;
import io.moebius.backend.cuda.EmulatedDriver;
import io.moebius.bench.ServingBench.Lengths;
import io.moebius.model.Decoder;
import io.moebius.model.Transformer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ServingBenchTest {

    private final Backend backend = new CpuBackend(Activations.SIXTEEN_BIT);
    private final Decoder decoder = load(backend);

    @AfterEach
    void freeTheModel() {
        backend.close();
    }

    private static Decoder load(Backend backend) {
        return Transformer.load(
                new GeneratedCheckpoint(CheckpointGeneratorTest.SMALL, Layout.AUTOFP8, 1), backend, 64, 16, fraction -> {});
    }

    private ServingBench bench(int blocks, int maxSequences) {
        KvCache cache = backend.kvCache(decoder.kvShape(), blocks);
        return new ServingBench(decoder, cache, maxSequences);
    }

    @Test
    void keepsAsManyRequestsUnderWayAsTheCacheHolds() throws InterruptedException {
        ServingReport.Result result = bench(13, 16).run(new Lengths(20, 12), 1);
        assertThat(result.requests()).isEqualTo(6);
        assertThat(result.seconds()).isGreaterThanOrEqualTo(1);
        assertThat(result.finished()).isPositive();
        // Every finished request had 12 tokens; those of the requests at either end of the time may be cut off.
        assertThat(result.outputTokensPerSecond() * result.seconds())
                .isBetween(12.0 * (result.finished() - 6), 12.0 * (result.finished() + 6));
        assertThat(result.interTokenLatencyMs().p50()).isPositive().isLessThanOrEqualTo(result.interTokenLatencyMs().p99());
        assertThat(result.timeToFirstTokenMs().p50()).isPositive().isLessThanOrEqualTo(result.timeToFirstTokenMs().p99());
    }

    @Test
    void keepsNoMoreUnderWayThanAStepTakes() throws InterruptedException {
        assertThat(bench(100, 4).run(new Lengths(3, 2), 1).requests()).isEqualTo(4);
    }

    @Test
    void measuresTheLoopThatDrawsOnTheDevice() throws InterruptedException {
        try (Backend device = EmulatedDriver.backend(Activations.EIGHT_BIT)) {
            Decoder onDevice = load(device);
            ServingReport.Result result =
                    new ServingBench(onDevice, device.kvCache(onDevice.kvShape(), 6), 4).run(new Lengths(5, 4), 1);
            assertThat(result.requests()).isEqualTo(4);
            assertThat(EmulatedDriver.calls("cuGraphLaunch")).isPositive();
        }
    }

    @Test
    void refusesRequestsThatTheCacheCannotHold() {
        assertThatThrownBy(() -> bench(2, 4).run(new Lengths(30, 3), 1)).hasMessageContaining("the KV cache holds 32 tokens");
    }

    @Test
    void measuresRequestsOfOneTokenWithoutLatencyBetweenTokens() throws InterruptedException {
        ServingReport.Result result = bench(8, 4).run(new Lengths(4, 1), 1);
        assertThat(result.interTokenLatencyMs()).isNull();
        assertThat(result.timeToFirstTokenMs()).isNotNull();
    }
}
