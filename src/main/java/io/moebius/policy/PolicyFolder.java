package io.moebius.policy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** A folder of policy files, which several processes may share: each file is replaced at once, under a lock. */
public final class PolicyFolder {

    private static final long MAX_BYTES = 16 << 20;
    private static final int LARGEST_FILE = 1 << 20;
    private static final String ANEW = "--search-policy true makes a new one";
    /** A search overwrites nothing that it cannot tell to be its own. */
    private static final String AWAY = "move it away, then ";
    private static final Set<PosixFilePermission> READABLE = PosixFilePermissions.fromString("rw-r--r--");

    private final Path folder;

    public PolicyFolder(Path folder) {
        this.folder = folder;
    }

    @Override
    public String toString() {
        return folder.toString();
    }

    public Path file(Origin origin) {
        return folder.resolve(origin.fileName());
    }

    /**
     * The policy for {@code origin}, if the folder has one.
     *
     * @throws PolicyException if it has one that cannot be used: "policy FILE refused: ..."
     */
    public Optional<Policy> find(Origin origin) {
        Path file = file(origin);
        if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            return Optional.empty();
        }
        Policy policy;
        try {
            policy = read(file);
        } catch (PolicyException e) {
            throw refused(origin, e.getMessage());
        }
        origin.difference(policy.origin()).ifPresent(difference -> {
            throw new PolicyException("policy %s refused: %s; %s".formatted(
                    file, difference, origin.replaces(policy.origin()) ? ANEW : AWAY + ANEW));
        });
        return Optional.of(policy);
    }

    /** That the file for {@code origin} cannot be used as it stands. */
    public PolicyException refused(Origin origin, String reason) {
        return new PolicyException("policy %s refused: %s; %s".formatted(file(origin), reason, AWAY + ANEW));
    }

    /** @throws PolicyException saying what is wrong with the file, without its name */
    public static Policy read(Path file) {
        try {
            if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
                throw new PolicyException("there is no such file");
            }
            if (!Files.isRegularFile(file)) {
                throw new PolicyException("it is no regular file");
            }
            if (Files.size(file) > MAX_BYTES) {
                throw new PolicyException("it has %d bytes, allowed: %d".formatted(Files.size(file), MAX_BYTES));
            }
            return PolicyJson.read(Files.readAllBytes(file));
        } catch (IOException e) {
            throw new PolicyException("it cannot be read (%s)".formatted(reason(e)));
        }
    }

    /**
     * Tries what {@link #save} will do, before anything is measured.
     *
     * @throws PolicyException if a policy for {@code origin} could not be kept here
     */
    public void check(Origin origin) {
        try {
            Files.createDirectories(folder);
            Path trial = Files.createTempFile(folder, ".policy", ".tmp");
            try {
                write(trial, new byte[LARGEST_FILE]);
            } finally {
                Files.deleteIfExists(trial);
            }
        } catch (IOException e) {
            throw new PolicyException("the policy folder %s cannot be written (%s); mount one that can, or leave --search-policy out"
                    .formatted(folder, reason(e)));
        }
        replaceable(origin);
    }

    /** What stands in the file and may be merged; empty where it may be replaced. */
    private Optional<Policy> replaceable(Origin origin) {
        Path file = file(origin);
        if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            return Optional.empty();
        }
        Policy there;
        try {
            there = read(file);
        } catch (PolicyException e) {
            throw new PolicyException("%s is no policy of this program (%s) and is not overwritten; move it away".formatted(file, e.getMessage()));
        }
        if (!origin.replaces(there.origin())) {
            throw new PolicyException("%s belongs to another machine or model (%s) and is not overwritten; move it away"
                    .formatted(file, origin.difference(there.origin()).orElse("")));
        }
        return origin.equals(there.origin()) ? Optional.of(there) : Optional.empty();
    }

    /**
     * Adds {@code choices} to the file for {@code origin}, or begins it anew where it was made with other kernels.
     *
     * @return what the file now holds
     * @throws PolicyException if it cannot be written
     */
    public Policy save(Origin origin, Collection<Choice> choices) {
        Path lock = folder.resolve(".policy.lock");
        // One lock of the file for the whole process, so its threads wait for each other first.
        synchronized (PolicyFolder.class) {
            try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock held = channel.lock()) {
                Policy merged = replaceable(origin).orElse(new Policy(origin, List.of())).with(choices);
                replace(file(origin), PolicyJson.write(merged).getBytes(StandardCharsets.UTF_8));
                return merged;
            } catch (IOException e) {
                throw new PolicyException("policy %s cannot be written (%s)".formatted(file(origin), reason(e)));
            }
        }
    }

    static void replace(Path file, byte[] content) throws IOException {
        Path next = Files.createTempFile(file.toAbsolutePath().getParent(), ".policy", ".tmp");
        try {
            Files.setPosixFilePermissions(next, READABLE);
            write(next, content);
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(next);
        }
    }

    private static void write(Path file, byte[] content) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            ByteBuffer bytes = ByteBuffer.wrap(content);
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
    }

    private static String reason(IOException e) {
        return e.getClass().getSimpleName() + (e.getMessage() == null ? "" : ": " + e.getMessage().lines().findFirst().orElse(""));
    }
}
