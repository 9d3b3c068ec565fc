package io.moebius.hub;

import io.moebius.hub.HubException.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Finds a model's snapshot in the Hugging Face cache, models--ORG--NAME/snapshots/COMMIT, by the commit that refs/REVISION names
 * (layout: huggingface.co/docs/huggingface_hub/guides/manage-cache).
 */
public record HubCache(Path folder) {

    private static final Pattern REPOSITORY =
            Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}");
    private static final Pattern REVISION = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._/-]{0,199}");
    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{5,40}");
    private static final int SHOWN_DIGITS = 12;

    /** $HF_HUB_CACHE, else $HF_HOME/hub, else $XDG_CACHE_HOME or ~/.cache with huggingface/hub. */
    public static HubCache of(Map<String, String> environment) {
        return new HubCache(folder(environment, "HF_HUB_CACHE").orElseGet(() -> home(environment).resolve("hub")));
    }

    /** $HF_HOME, else $XDG_CACHE_HOME or ~/.cache with huggingface. */
    public static Path home(Map<String, String> environment) {
        return folder(environment, "HF_HOME")
                .orElseGet(() -> folder(environment, "XDG_CACHE_HOME").orElse(Path.of(userHome(environment), ".cache")).resolve("huggingface"));
    }

    /** What a variable names, ~ expanded as other tools do; empty where it is not set, or to nothing. */
    static Optional<Path> folder(Map<String, String> environment, String variable) {
        return Optional.of(environment.getOrDefault(variable, "").strip())
                .filter(value -> !value.isEmpty())
                .map(value -> Path.of(value.replaceFirst("^~(?=/|$)", Matcher.quoteReplacement(userHome(environment)))));
    }

    private static String userHome(Map<String, String> environment) {
        return environment.getOrDefault("HOME", "/root");
    }

    /**
     * The folder with the files of {@code model}, whole enough to be served.
     *
     * @param model    ORGANISATION/NAME
     * @param revision branch, tag or commit
     * @throws HubException NOT_FOUND if nothing of it is there, UNREACHABLE if only the Hub has the rest
     */
    Path find(String model, String revision) {
        checkNames(model, revision);
        Path repository = repository(model);
        if (!Files.isDirectory(repository)) {
            throw new HubException("%s is not in the cache %s".formatted(model, folder));
        }
        Path snapshot = repository.resolve("snapshots").resolve(commit(repository, model, revision));
        if (!Files.isDirectory(snapshot)) {
            throw new HubException("%s has no files of revision %s in %s".formatted(model, revision, repository));
        }
        checkLinks(snapshot, repository);
        Optional<String> lack = new Snapshot(snapshot).lack();
        if (lack.isPresent()) {
            throw new HubException(Kind.UNREACHABLE, "%s is in the cache in part: %s%s".formatted(model, lack.get(), whole(repository)));
        }
        return snapshot;
    }

    /** What could be served instead, as when an update was broken off. */
    private static String whole(Path repository) {
        return children(repository.resolve("snapshots")).stream()
                .filter(snapshot -> new Snapshot(snapshot).lack().isEmpty())
                .map(snapshot -> "; its revision %s is whole".formatted(beginning(snapshot)))
                .collect(Collectors.joining());
    }

    private static String beginning(Path snapshot) {
        String commit = snapshot.getFileName().toString();
        return commit.substring(0, Math.min(SHOWN_DIGITS, commit.length()));
    }

    /**
     * The commit that the cache holds and of which {@code revision} is the beginning; else {@code revision} itself.
     *
     * @throws HubException where several commits begin so
     */
    String inFull(String model, String revision) {
        if (!COMMIT.matcher(revision).matches()) {
            return revision;
        }
        List<String> commits = children(repository(model).resolve("snapshots")).stream()
                .map(snapshot -> snapshot.getFileName().toString())
                .filter(commit -> commit.startsWith(revision))
                .toList();
        if (commits.size() > 1 && !commits.contains(revision)) {
            throw new HubException("the revision %s of %s may be %s; give more of it".formatted(revision, model, String.join(" or ", commits)));
        }
        return commits.size() == 1 ? commits.getFirst() : revision;
    }

    /**
     * A revision that the cache holds.
     *
     * @param revision branch or tag, else the beginning of the commit
     * @param bytes    of the files that the snapshot links to
     * @param lack     what is missing of it, for a person
     */
    public record CachedModel(String name, String revision, Path snapshot, long bytes, Optional<String> lack) {}

    /** All revisions of all models, by name. */
    public List<CachedModel> models() {
        List<CachedModel> models = new ArrayList<>();
        for (Path repository : children(folder)) {
            String file = repository.getFileName().toString();
            if (!file.startsWith("models--")) {
                continue;
            }
            String name = file.substring("models--".length()).replace("--", "/");
            for (Path snapshot : children(repository.resolve("snapshots"))) {
                long bytes = children(snapshot).stream().filter(Files::isRegularFile).mapToLong(path -> path.toFile().length()).sum();
                models.add(new CachedModel(
                        name, revision(repository.resolve("refs"), snapshot), snapshot, bytes, new Snapshot(snapshot).lack()));
            }
        }
        return models;
    }

    private static String revision(Path references, Path snapshot) {
        if (!Files.isDirectory(references)) {
            return beginning(snapshot);
        }
        try (Stream<Path> files = Files.walk(references)) {
            return files.filter(reference -> !reference.getFileName().toString().startsWith("."))
                    .sorted()
                    .filter(reference -> snapshot.getFileName().toString().equals(content(reference)))
                    .map(reference -> references.relativize(reference).toString())
                    .findFirst()
                    .orElse(beginning(snapshot));
        } catch (IOException | UncheckedIOException e) {
            throw new HubException("%s cannot be read: %s".formatted(references, e), e);
        }
    }

    /** The commit that a reference holds, empty where there is none. */
    static String content(Path reference) {
        try {
            return Files.isRegularFile(reference) && Files.size(reference) <= 64 ? Files.readString(reference).strip() : "";
        } catch (IOException e) {
            return "";
        }
    }

    private static List<Path> children(Path folder) {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> children = Files.list(folder)) {
            return children.sorted().toList();
        } catch (IOException e) {
            throw new HubException("%s cannot be read: %s".formatted(folder, e), e);
        }
    }

    /** What {@link #find} gives, or empty where nothing usable is there. */
    Optional<Path> cached(String model, String revision) {
        try {
            return Optional.of(find(model, revision));
        } catch (HubException e) {
            return Optional.empty();
        }
    }

    /** The folder of a repository. */
    Path repository(String model) {
        return folder.resolve("models--" + model.replace("/", "--"));
    }

    /** @throws HubException for what is no repository id, or no revision */
    static void checkNames(String model, String revision) {
        if (!REPOSITORY.matcher(model).matches() || model.contains("..")) {
            throw new HubException("the model \"%s\" is neither a folder nor a repository id; allowed: a path, or ORGANISATION/NAME"
                    .formatted(model));
        }
        if (!REVISION.matcher(revision).matches() || revision.contains("..")) {
            throw new HubException("the revision \"%s\" is no branch, tag or commit".formatted(revision));
        }
    }

    private static String commit(Path repository, String model, String revision) {
        Path reference = repository.resolve("refs").resolve(revision);
        try {
            if (!Files.isRegularFile(reference)) {
                if (COMMIT.matcher(revision).matches()) {
                    return revision;
                }
                throw new HubException("%s has no revision %s in %s".formatted(model, revision, repository));
            }
            String commit = Files.size(reference) > 64 ? "" : Files.readString(reference).strip();
            if (!COMMIT.matcher(commit).matches()) {
                throw new HubException("%s does not hold a commit; fetch the model again".formatted(reference));
            }
            return commit;
        } catch (IOException e) {
            throw new HubException("%s cannot be read: %s".formatted(reference, e), e);
        }
    }

    /** Refuses links that leave the repository's folder. */
    static void checkLinks(Path snapshot, Path repository) {
        try (var files = Files.list(snapshot)) {
            Path home = repository.toRealPath();
            for (Path file : files.filter(Files::exists).toList()) {
                if (!file.toRealPath().startsWith(home)) {
                    throw new HubException("%s links to %s, outside of %s".formatted(file, file.toRealPath(), home));
                }
            }
        } catch (IOException e) {
            throw new HubException("%s cannot be read: %s".formatted(snapshot, e), e);
        }
    }
}
