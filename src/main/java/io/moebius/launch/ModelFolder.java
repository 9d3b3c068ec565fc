package io.moebius.launch;

import io.moebius.hub.EmbeddedModel;
import io.moebius.hub.ModelSource;
import io.moebius.hub.Progress;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The folder of a model. The demo model lies beside the native executable; elsewhere it is unpacked, and deleted on closing: mapped weights
 * stay valid.
 */
record ModelFolder(Path path, boolean unpacked) implements AutoCloseable {

    /** @throws io.moebius.hub.HubException if there is no such model, or it cannot be fetched */
    static ModelFolder find(
            String name, String revision, Map<String, String> environment, Progress progress, Consumer<String> warning) {
        if (!name.equals(EmbeddedModel.NAME)) {
            return new ModelFolder(ModelSource.of(environment).find(name, revision, progress, warning), false);
        }
        Optional<Path> installed = InstalledFiles.find().map(InstalledFiles::demoModel);
        return installed.isPresent()
                ? new ModelFolder(installed.get(), false)
                : new ModelFolder(EmbeddedModel.unpack(Path.of(System.getProperty("java.io.tmpdir"))), true);
    }

    @Override
    public void close() {
        if (unpacked) {
            EmbeddedModel.delete(path);
        }
    }
}
