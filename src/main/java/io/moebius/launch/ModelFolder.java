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

    /**
     * @throws io.moebius.hub.HubException if there is no such model, or it cannot be fetched
     * @throws StartException if another model lies where the demo model should
     */
    static ModelFolder find(
            String name, String revision, Map<String, String> environment, Progress progress, Consumer<String> warning) {
        if (!name.equals(EmbeddedModel.NAME)) {
            return new ModelFolder(ModelSource.of(environment).find(name, revision, progress, warning), false);
        }
        Optional<Path> installed = InstalledFiles.find().map(InstalledFiles::demoModel);
        return installed.isPresent()
                ? demo(installed.get())
                : new ModelFolder(EmbeddedModel.unpack(Path.of(System.getProperty("java.io.tmpdir"))), true);
    }

    /** As a tool's flags say; a download is shown. */
    static ModelFolder find(Subcommand.Options options, Map<String, String> environment) {
        Console console = new Console(false);
        try {
            return find(
                    options.required(ModelFlags.HF_MODEL_NAME), options.required(ModelFlags.REVISION), environment,
                    new DownloadProgress(console::downloading), console::warn);
        } finally {
            console.done();
        }
    }

    /** The demo model needs no container secret; what somebody put into its place does. */
    static ModelFolder demo(Path folder) {
        if (!EmbeddedModel.isIn(folder)) {
            throw new StartException(ExitCode.NO_LICENSE, "%s holds something else than the demo model; put other models elsewhere, and name them with %s"
                    .formatted(folder, ModelFlags.HF_MODEL_NAME.option()));
        }
        return new ModelFolder(folder, false);
    }

    @Override
    public void close() {
        if (unpacked) {
            EmbeddedModel.delete(path);
        }
    }
}
