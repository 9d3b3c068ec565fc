package io.moebius.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Finds a model: a local folder, or a snapshot in the Hugging Face cache, models--ORG--NAME/snapshots/COMMIT, by the commit
 * that refs/REVISION names (layout: huggingface.co/docs/huggingface_hub/guides/manage-cache).
 */
public record HubCache(Path folder) {

    private static final Pattern REPOSITORY =
            Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}");
    private static final Pattern REVISION = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._/-]{0,199}");
    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{5,40}");

    /** $HF_HUB_CACHE, else $HF_HOME/hub, else $XDG_CACHE_HOME or ~/.cache with huggingface/hub. */
    public static HubCache of(Map<String, String> environment) {
        if (environment.containsKey("HF_HUB_CACHE")) {
            return new HubCache(Path.of(environment.get("HF_HUB_CACHE")));
        }
        if (environment.containsKey("HF_HOME")) {
            return new HubCache(Path.of(environment.get("HF_HOME"), "hub"));
        }
        Path caches = environment.containsKey("XDG_CACHE_HOME")
                ? Path.of(environment.get("XDG_CACHE_HOME"))
                : Path.of(environment.getOrDefault("HOME", "/root"), ".cache");
        return new HubCache(caches.resolve("huggingface").resolve("hub"));
    }

    /**
     * The folder with the files of {@code model}.
     *
     * @param model    a folder's path, or ORGANISATION/NAME
     * @param revision branch, tag or commit; ignored for a folder
     */
    public Path find(String model, String revision) {
        Path local = localFolder(model);
        if (local != null) {
            return local;
        }
        if (!REPOSITORY.matcher(model).matches() || model.contains("..")) {
            throw new HubException("the model \"%s\" is neither a folder nor a repository id; allowed: a path, or ORGANISATION/NAME"
                    .formatted(model));
        }
        if (!REVISION.matcher(revision).matches() || revision.contains("..")) {
            throw new HubException("the revision \"%s\" is no branch, tag or commit".formatted(revision));
        }
        Path repository = folder.resolve("models--" + model.replace("/", "--"));
        if (!Files.isDirectory(repository)) {
            throw new HubException("%s is not in the cache %s; downloading is not supported yet: fetch it there with another tool, or give a folder"
                    .formatted(model, folder));
        }
        Path snapshot = repository.resolve("snapshots").resolve(commit(repository, model, revision));
        if (!Files.isDirectory(snapshot)) {
            throw new HubException("%s has no files of revision %s in %s; fetch it again".formatted(model, revision, repository));
        }
        return complete(snapshot, repository);
    }

    private static Path localFolder(String model) {
        try {
            Path path = Path.of(model);
            return Files.isDirectory(path) ? path : null;
        } catch (InvalidPathException e) {
            return null;
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

    /** Refuses links that leave the repository's folder, and files that a broken download left out. */
    private static Path complete(Path snapshot, Path repository) {
        try (var files = Files.list(snapshot)) {
            Path home = repository.toRealPath();
            for (Path file : files.toList()) {
                if (!Files.exists(file)) {
                    throw new HubException("%s links to a file that is not there; fetch the model again".formatted(file));
                }
                if (!file.toRealPath().startsWith(home)) {
                    throw new HubException("%s links to %s, outside of %s".formatted(file, file.toRealPath(), home));
                }
            }
            return snapshot;
        } catch (IOException e) {
            throw new HubException("%s cannot be read: %s".formatted(snapshot, e), e);
        }
    }
}
