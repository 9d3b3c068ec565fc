package io.moebius.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.DType;
import io.moebius.backend.RandomWeights;
import io.moebius.backend.Scales;
import io.moebius.backend.Weight;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Weights that are too large for one copy, over the emulated driver. */
class WeightPartsTest {

    private static final RandomWeights RANDOM = new RandomWeights(3);
    private static final int ROWS = 700;
    private static final int COLUMNS = 100;
    private static final int WHOLE = 1 << 20;
    private static final int PART = 10_000;

    private final LibraryDriver driver = EmulatedDriver.open();
    private final long stream = driver.stream();
    private final DeviceMemory memory = new DeviceMemory(driver, stream);

    static Stream<Weight> weights() {
        return Stream.concat(
                Stream.of(DType.values()).map(type -> RANDOM.plain(type, ROWS, COLUMNS)),
                Stream.of(blocks(1, 30), blocks(16, 50), blocks(40, 30), blocks(ROWS, 50)));
    }

    private static Weight blocks(int rows, int columns) {
        float[] factors = RANDOM.floats(Math.ceilDiv(ROWS, rows) * Math.ceilDiv(COLUMNS, columns));
        return RANDOM.weight(DType.E4M3, ROWS, COLUMNS, new Scales(factors, rows, columns), new ActivationQuantization.None());
    }

    @AfterEach
    void close() {
        driver.synchronize(stream);
        memory.close();
        driver.close();
    }

    @ParameterizedTest
    @MethodSource("weights")
    void arePackedAsInOneCopy(Weight weight) {
        PackedWeights whole = upload(WHOLE).pack(List.of(weight));
        PackedWeights parts = upload(PART).pack(List.of(weight));
        assertThat(bytes(parts.address(), whole.each())).isEqualTo(bytes(whole.address(), whole.each()));
    }

    @ParameterizedTest
    @MethodSource("weights")
    void areLookedUpAsInOneCopy(Weight weight) {
        long bytes = 2L * ROWS * COLUMNS;
        assertThat(bytes(upload(PART).halves(weight), bytes)).isEqualTo(bytes(upload(WHOLE).halves(weight), bytes));
    }

    private WeightUpload upload(int slotBytes) {
        return new WeightUpload(driver, memory, new Launcher(driver, EmulatedDriver.FATBIN, stream), KernelTable.read(), stream, slotBytes);
    }

    private byte[] bytes(long address, long count) {
        Driver.Pinned to = driver.pin((int) count);
        driver.download(to, address, (int) count, stream);
        driver.synchronize(stream);
        byte[] bytes = new byte[(int) count];
        to.bytes().get(0, bytes);
        driver.unpin(to);
        return bytes;
    }
}
