package io.moebius.launch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** Memory that this process may still take: what the kernel calls available, and what the container's limit leaves. */
final class FreeMemory {

    private static final Cgroup SECOND = new Cgroup("sys/fs/cgroup", "memory.max", "memory.current", "");
    private static final Cgroup FIRST = new Cgroup("sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_");

    private FreeMemory() {}

    static long bytes() {
        return bytes(Path.of("/"));
    }

    /** @param root holds proc and sys */
    static long bytes(Path root) {
        long available = value(root.resolve("proc/meminfo"), "MemAvailable:").orElse(0) << 10;
        return Math.max(0, Stream.of(SECOND, FIRST)
                .flatMapToLong(cgroup -> cgroup.left(root).stream())
                .reduce(available, Math::min));
    }

    /** Where a version of control groups shows a container its own. Pages of files count as used there, but are given up when needed. */
    private record Cgroup(String folder, String limit, String used, String prefix) {

        OptionalLong left(Path root) {
            Path own = root.resolve(folder);
            OptionalLong most = value(own.resolve(limit), "");
            OptionalLong now = value(own.resolve(used), "");
            if (most.isEmpty() || now.isEmpty()) {
                return OptionalLong.empty();
            }
            Path stat = own.resolve("memory.stat");
            long files = value(stat, prefix + "active_file ").orElse(0) + value(stat, prefix + "inactive_file ").orElse(0);
            return OptionalLong.of(most.getAsLong() - now.getAsLong() + files);
        }
    }

    /** Of the line that begins with the name; empty where there is no such file or number. */
    private static OptionalLong value(Path file, String name) {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.filter(line -> line.startsWith(name))
                    .map(line -> line.replaceAll("\\D", ""))
                    .filter(digits -> !digits.isEmpty())
                    .mapToLong(Long::parseLong)
                    .findFirst();
        } catch (IOException | NumberFormatException e) {
            return OptionalLong.empty();
        }
    }
}
