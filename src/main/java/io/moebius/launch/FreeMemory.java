package io.moebius.launch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** Memory that this process may still take: what the kernel calls available, and what the limits of its control groups leave. */
final class FreeMemory {

    private static final Cgroup SECOND = new Cgroup("sys/fs/cgroup", "0::", "memory.max", "memory.current", "");
    private static final Cgroup FIRST = new Cgroup(
            "sys/fs/cgroup/memory", "\\d+:(?:.*,)?memory(?:,.*)?:", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_");

    private FreeMemory() {}

    static long bytes() {
        return bytes(Path.of("/"));
    }

    /** @param root holds proc and sys */
    static long bytes(Path root) {
        long available = value(root.resolve("proc/meminfo"), "MemAvailable:").orElse(0) << 10;
        return Math.max(0, Stream.of(SECOND, FIRST)
                .flatMapToLong(version -> version.groups(root).flatMapToLong(group -> version.left(group).stream()))
                .reduce(available, Math::min));
    }

    /**
     * A version of control groups. Pages of files count as used there, but are given up when needed.
     *
     * @param folder where it is mounted
     * @param line   how the line of proc/self/cgroup begins that names this process's group
     */
    private record Cgroup(String folder, String line, String limit, String used, String prefix) {

        /** This process's own and those around it. A container sees its own as the outermost, whatever it is called. */
        Stream<Path> groups(Path root) {
            Path outermost = root.resolve(folder);
            Path own = outermost.resolve(name(root.resolve("proc/self/cgroup"))).normalize();
            return Stream.iterate(own.startsWith(outermost) ? own : outermost, group -> group.startsWith(outermost), Path::getParent);
        }

        private String name(Path file) {
            try (Stream<String> lines = Files.lines(file)) {
                return lines.filter(text -> text.matches(line + "/.*"))
                        .map(text -> text.replaceFirst(line + "/+", ""))
                        .findFirst()
                        .orElse("");
            } catch (IOException e) {
                return "";
            }
        }

        OptionalLong left(Path own) {
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
