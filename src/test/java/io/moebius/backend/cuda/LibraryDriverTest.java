package io.moebius.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moebius.backend.DeviceLostException;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.BytePointer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The way from Java through JavaCPP's presets to the driver's functions, over the emulated driver. */
class LibraryDriverTest {

    private static final int CUDA_ERROR_OUT_OF_MEMORY = 2;
    private static final int CUDA_ERROR_ILLEGAL_ADDRESS = 700;

    private final Driver driver = EmulatedDriver.open();
    private final long stream = driver.stream();

    @AfterEach
    void mend() {
        EmulatedDriver.mend();
    }

    @Test
    void describesTheDevice() {
        assertThat(driver.device().name()).isEqualTo("Emulated GPU");
        assertThat(driver.device().computeCapability()).isEqualTo(90);
        assertThat(driver.device().driverVersion()).isEqualTo(13000);
    }

    @Test
    void countsWhatIsFree() {
        long before = driver.freeBytes();
        long memory = driver.allocate(4096);
        assertThat(driver.freeBytes()).isEqualTo(before - 4096);
        driver.free(memory);
        assertThat(driver.freeBytes()).isEqualTo(before);
    }

    @Test
    void copiesThereAndBackInTheOrderOfTheStream() {
        Driver.Pinned from = pinned(1, 2, 3, 4);
        Driver.Pinned to = driver.pin(16);
        long memory = driver.allocate(16);
        driver.upload(memory, from, 16, stream);
        driver.zero(memory + 4, 4, stream);
        driver.download(to, memory, 16, stream);
        driver.synchronize(stream);
        assertThat(to.bytes().getInt(0)).isEqualTo(1);
        assertThat(to.bytes().getInt(4)).isZero();
        assertThat(to.bytes().getInt(12)).isEqualTo(4);
    }

    @Test
    void anEventLetsOneStreamWaitForAnother() {
        long other = driver.stream();
        long event = driver.event();
        Driver.Pinned to = driver.pin(16);
        long memory = driver.allocate(16);
        driver.upload(memory, pinned(7, 0, 0, 0), 16, stream);
        driver.record(event, stream);
        driver.await(other, event);
        driver.download(to, memory, 16, other);
        driver.synchronize(other);
        assertThat(to.bytes().getInt(0)).isEqualTo(7);
    }

    @Test
    void launchesAKernelWithItsStructureAndReplaysItFromAGraph() {
        long embed = driver.function(driver.module(EmulatedDriver.FATBIN), "moebius_embed_tokens");
        Driver.Pinned table = driver.pin(16);
        short[] rows = {0x3f80, 0x4000, 0x4040, 0x4080};
        for (int i = 0; i < rows.length; i++) {
            table.bytes().putShort(2 * i, rows[i]);
        }
        Driver.Pinned tokens = pinned(1, 0, 0, 0);
        Driver.Pinned out = driver.pin(16);
        long deviceTable = driver.allocate(16);
        long deviceTokens = driver.allocate(16);
        long deviceOut = driver.allocate(16);
        driver.upload(deviceTable, table, 16, stream);
        BytePointer structure = new BytePointer(48);
        structure.asByteBuffer().order(ByteOrder.nativeOrder())
                .putLong(deviceTable).putLong(deviceTokens).putLong(0).putLong(deviceOut).putInt(2).putInt(2).putInt(0);

        driver.beginCapture(stream);
        driver.upload(deviceTokens, tokens, 16, stream);
        driver.launch("embedding", embed, new int[] {2, 1, 1}, 256, 0, structure, true, stream);
        driver.download(out, deviceOut, 16, stream);
        long graph = driver.endCapture(stream);

        driver.launchGraph(graph, stream);
        driver.synchronize(stream);
        assertThat(out.bytes().getFloat(0)).isEqualTo(3);
        assertThat(out.bytes().getFloat(12)).isEqualTo(2);
        tokens.bytes().putInt(0, 0);
        driver.launchGraph(graph, stream);
        driver.synchronize(stream);
        assertThat(out.bytes().getFloat(0)).isEqualTo(1);
        driver.destroyGraph(graph);
    }

    @Test
    void saysWhichCallFailedAtWhat() {
        EmulatedDriver.orderFailure("cuMemAlloc_v2", 1, CUDA_ERROR_OUT_OF_MEMORY);
        assertThatThrownBy(() -> driver.allocate(64))
                .isInstanceOfSatisfying(CudaException.class, e -> assertThat(e.outOfMemory()).isTrue())
                .hasMessage("cuMemAlloc failed with CUDA_ERROR_OUT_OF_MEMORY at an allocation of 64 bytes");
        driver.free(driver.allocate(64));
    }

    @Test
    void tellsALostDeviceFromARefusedCall() {
        EmulatedDriver.orderFailure("cuStreamSynchronize", 1, CUDA_ERROR_ILLEGAL_ADDRESS);
        assertThatThrownBy(() -> driver.synchronize(stream))
                .isInstanceOf(DeviceLostException.class)
                .hasMessageStartingWith("cuStreamSynchronize failed with CUDA_ERROR_ILLEGAL_ADDRESS at ");
        assertThatThrownBy(driver::freeBytes).isInstanceOf(DeviceLostException.class);
    }

    @Test
    void refusesAModuleThatIsNoFatbinAndAFunctionThatIsNotInIt() {
        assertThatThrownBy(() -> driver.module(new byte[16])).hasMessageContaining("CUDA_ERROR_INVALID_IMAGE");
        long module = driver.module(EmulatedDriver.FATBIN);
        assertThatThrownBy(() -> driver.function(module, "moebius_none"))
                .hasMessage("cuModuleGetFunction failed with CUDA_ERROR_NOT_FOUND at moebius_none");
    }

    @Test
    void refusesATensorMapOfAMatrixThatTheCopyEngineCannotRead() {
        try (CudaKernels.Fetch structure = new CudaKernels.Fetch()) {
            assertThatThrownBy(() -> driver.encodeTensorMap(structure, driver.allocate(4096), 40, 100, 16, 64))
                    .hasMessage("cuTensorMapEncodeTiled failed with CUDA_ERROR_INVALID_VALUE at tiles of 16 x 64 of a matrix of 40 x 100 bytes");
        }
    }

    private Driver.Pinned pinned(int... values) {
        Driver.Pinned memory = driver.pin(4 * values.length);
        for (int i = 0; i < values.length; i++) {
            memory.bytes().putInt(4 * i, values[i]);
        }
        return memory;
    }
}
