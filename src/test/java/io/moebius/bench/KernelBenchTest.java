package io.moebius.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.backend.Activations;
import io.moebius.backend.cpu.CpuBackend;
import java.util.List;
import org.junit.jupiter.api.Test;

class KernelBenchTest {

    @Test
    void measuresEveryKernelOfTheCpu() {
        List<KernelBench.Result> results = new KernelBench(CheckpointGeneratorTest.SMALL).run(new CpuBackend(Activations.SIXTEEN_BIT));
        assertThat(results).extracting(KernelBench.Result::kernel).contains(
                "project", "experts", "attend", "embed", "rmsNorm", "addBias", "swiGlu", "rope+store", "route", "gather");
        assertThat(results).allSatisfy(result -> {
            assertThat(result.microseconds()).as(result.row()).isPositive();
            assertThat(result.gigabytesPerSecond()).as(result.row()).isPositive();
        });
        assertThat(results).filteredOn(result -> result.tokens() == 512).allSatisfy(
                result -> assertThat(result.boundFraction()).as(result.row()).isPositive());
    }

    @Test
    void countsTheBytesOfActivations() {
        Shape shape = CheckpointGeneratorTest.SMALL;
        List<KernelBench.Result> results = new KernelBench(shape).run(new CpuBackend(Activations.SIXTEEN_BIT));
        assertThat(results).filteredOn(result -> result.kernel().equals("rmsNorm") && result.tokens() == 512).singleElement()
                .satisfies(result -> assertThat(result.gigabytesPerSecond() * result.microseconds() * 1e3)
                        .isCloseTo(8.0 * 512 * shape.hidden(), org.assertj.core.data.Offset.offset(1.0)));
    }
}
