package io.moebius.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FreeMemoryTest {

    private static final long GIB = 1L << 30;

    @TempDir
    private Path root;

    @Test
    void isWhatTheKernelCallsAvailable() throws IOException {
        write("proc/meminfo", "MemTotal:       33554432 kB\nMemAvailable:   16777216 kB\n");
        assertThat(FreeMemory.bytes(root)).isEqualTo(16 * GIB);
    }

    @Test
    void isWhatTheContainersLimitLeaves() throws IOException {
        write("proc/meminfo", "MemAvailable:   67108864 kB\n");
        write("sys/fs/cgroup/memory.max", 64 * GIB + "\n");
        write("sys/fs/cgroup/memory.current", 50 * GIB + "\n");
        write("sys/fs/cgroup/memory.stat", "anon 1\ninactive_file %d\nactive_file %d\n".formatted(2 * GIB, GIB));
        assertThat(FreeMemory.bytes(root)).isEqualTo(17 * GIB);
    }

    @Test
    void readsTheFirstVersionOfControlGroups() throws IOException {
        write("proc/meminfo", "MemAvailable:   67108864 kB\n");
        write("sys/fs/cgroup/memory/memory.limit_in_bytes", 8 * GIB + "\n");
        write("sys/fs/cgroup/memory/memory.usage_in_bytes", 6 * GIB + "\n");
        write("sys/fs/cgroup/memory/memory.stat", "inactive_file 0\ntotal_inactive_file %d\n".formatted(GIB));
        assertThat(FreeMemory.bytes(root)).isEqualTo(3 * GIB);
    }

    @Test
    void isWhatTheNarrowestGroupAroundTheProcessLeaves() throws IOException {
        write("proc/meminfo", "MemAvailable:   67108864 kB\n");
        write("proc/self/cgroup", "1:name=systemd:/x\n0::/jobs/7/step\n");
        write("sys/fs/cgroup/jobs/memory.max", 20 * GIB + "\n");
        write("sys/fs/cgroup/jobs/memory.current", 12 * GIB + "\n");
        write("sys/fs/cgroup/jobs/7/memory.max", 10 * GIB + "\n");
        write("sys/fs/cgroup/jobs/7/memory.current", 1 * GIB + "\n");
        write("sys/fs/cgroup/jobs/7/step/memory.max", "max\n");
        assertThat(FreeMemory.bytes(root)).isEqualTo(8 * GIB);
    }

    @Test
    void findsTheGroupOfTheFirstVersion() throws IOException {
        write("proc/meminfo", "MemAvailable:   67108864 kB\n");
        write("proc/self/cgroup", "5:cpuset:/other\n4:memory:/service\n");
        write("sys/fs/cgroup/memory/memory.limit_in_bytes", Long.MAX_VALUE + "\n");
        write("sys/fs/cgroup/memory/memory.usage_in_bytes", 6 * GIB + "\n");
        write("sys/fs/cgroup/memory/service/memory.limit_in_bytes", 2 * GIB + "\n");
        write("sys/fs/cgroup/memory/service/memory.usage_in_bytes", GIB + "\n");
        assertThat(FreeMemory.bytes(root)).isEqualTo(GIB);
    }

    @Test
    void takesNoLimitForNone() throws IOException {
        write("proc/meminfo", "MemAvailable:   1048576 kB\n");
        write("sys/fs/cgroup/memory.max", "max\n");
        write("sys/fs/cgroup/memory.current", "1\n");
        assertThat(FreeMemory.bytes(root)).isEqualTo(GIB);
    }

    @Test
    void isNothingWhereTheLimitIsPassed() throws IOException {
        write("proc/meminfo", "MemAvailable:   1048576 kB\n");
        write("sys/fs/cgroup/memory.max", GIB + "\n");
        write("sys/fs/cgroup/memory.current", 2 * GIB + "\n");
        assertThat(FreeMemory.bytes(root)).isZero();
    }

    private void write(String file, String text) throws IOException {
        Files.createDirectories(root.resolve(file).getParent());
        Files.writeString(root.resolve(file), text);
    }
}
