package io.moebius.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.backend.DType;
import io.moebius.backend.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The order in which weights are put on their way, on a driver that writes it down. */
class WeightUploadTest {

    private static final int SLOTS = 4;
    /** 32 MiB are 64 strips of these rows of 8 KiB. */
    private static final int COLUMNS = 4096;
    private static final int ROWS_OF_A_COPY = 4096;

    private final RecordingDriver driver = new RecordingDriver();
    private final long stream = driver.stream();
    private final DeviceMemory memory = new DeviceMemory(driver, stream);
    private final KernelTable table = KernelTable.read();
    private final WeightUpload upload =
            new WeightUpload(driver, memory, new Launcher(driver, new byte[0], stream), table, stream);

    @Test
    void severalCopiesAreOnTheirWayBeforeTheHostWaits() {
        upload.pack(List.of(weight(6 * ROWS_OF_A_COPY)));
        List<String> steps = driver.calls.stream()
                .filter(call -> call.startsWith("upload") || call.startsWith("wait for event"))
                .map(call -> call.startsWith("upload") ? "copy" : "wait")
                .toList();
        // A slot that was never used is waited for, too, and is ready.
        assertThat(steps).hasSize(12).containsSequence("wait", "copy", "wait", "copy");
        List<String> waits = driver.calls.stream().filter(call -> call.startsWith("wait for event")).toList();
        assertThat(waits.subList(0, SLOTS)).doesNotHaveDuplicates();
        assertThat(waits.get(SLOTS)).isEqualTo(waits.get(0));
        assertThat(waits.get(SLOTS + 1)).isEqualTo(waits.get(1));
    }

    @Test
    void everyPartIsPackedBehindItsOwnCopyAndTheStepsWaitForIt() {
        upload.pack(List.of(weight(ROWS_OF_A_COPY + 10)));
        List<String> calls = driver.calls.stream().filter(call -> !call.startsWith("wait")).toList();
        long first = streamOf(calls, "upload 33554432 on ");
        long second = streamOf(calls, "upload 81920 on ");
        assertThat(second).isNotEqualTo(first);
        assertThat(calls).containsSubsequence(
                "upload 33554432 on " + first,
                "launch moebius_pack_weights, big, 4096 blocks on " + first,
                "upload 81920 on " + second,
                "launch moebius_pack_weights, big, 64 blocks on " + second);
        assertThat(calls).filteredOn(call -> call.startsWith(stream + " after event")).hasSize(2);
    }

    @Test
    void weightsThatShareMemoryArePackedFromOneCopyOfIt() {
        MemorySegment shared = Arena.ofAuto().allocate(3 << 20, 64);
        Weight first = Weight.plain("first", DType.BF16, 64, 64, shared.asSlice(0, 2 * 64 * 64)).within(shared);
        Weight second = Weight.plain("second", DType.BF16, 64, 64, shared.asSlice(4096, 2 * 64 * 64)).within(shared);
        upload.pack(List.of(first));
        upload.pack(List.of(second));
        assertThat(driver.calls).filteredOn(call -> call.startsWith("upload")).singleElement().asString().startsWith("upload 3145728 on ");
        assertThat(driver.calls).contains(
                "launch moebius_pack_weights, first, 1 blocks on " + stream, "launch moebius_pack_weights, second, 1 blocks on " + stream);
    }

    private static long streamOf(List<String> calls, String prefix) {
        return calls.stream()
                .filter(call -> call.startsWith(prefix))
                .mapToLong(call -> Long.parseLong(call.substring(prefix.length())))
                .findFirst()
                .orElseThrow();
    }

    private static Weight weight(int rows) {
        return Weight.plain("big", DType.BF16, rows, COLUMNS, Arena.ofAuto().allocate(2L * rows * COLUMNS, 64));
    }
}
