package io.moebius.launch;

import io.moebius.checkpoint.Checkpoint;
import io.moebius.checkpoint.CheckpointException;
import io.moebius.hub.HubCache;
import io.moebius.hub.ModelSource;
import io.moebius.text.ModelText;
import io.moebius.text.TextException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;

/** {@code moebius download} and {@code moebius models}: what the Hugging Face cache gets and holds. */
final class HubTools {

    static final Subcommand DOWNLOAD = new Subcommand(
            "download", "ORG/NAME", List.of(ModelFlags.REVISION), "Fetches a model into the Hugging Face cache and prints its folder.",
            HubTools::download);
    static final Subcommand MODELS = new Subcommand(
            "models", "", List.of(), "Lists the models of the Hugging Face cache, and which of them can be served.", HubTools::models);

    private HubTools() {}

    private static int download(Subcommand.Options options, Subcommand.Shell shell) {
        String name = options.operand()
                .orElseThrow(() -> new StartException(ExitCode.USAGE, "the model is missing; give ORG/NAME"));
        Console console = new Console(false);
        Path folder;
        try {
            folder = ModelSource.of(shell.environment())
                    .find(name, options.required(ModelFlags.REVISION), new DownloadProgress(console::downloading), console::warn);
        } finally {
            console.done();
        }
        shell.out().println(folder);
        return ExitCode.OK.status();
    }

    private static int models(Subcommand.Options options, Subcommand.Shell shell) {
        HubCache cache = HubCache.of(shell.environment());
        List<HubCache.CachedModel> models = cache.models();
        if (models.isEmpty()) {
            shell.errors().println("no models in " + cache.folder());
        }
        String row = "%%-%ds  %%-%ds  %%10s  %%s".formatted(
                longest(models, HubCache.CachedModel::name), longest(models, HubCache.CachedModel::revision));
        for (HubCache.CachedModel model : models) {
            shell.out().println(row.formatted(model.name(), model.revision(), Console.size(model.bytes()), servable(model)));
        }
        return ExitCode.OK.status();
    }

    private static int longest(List<HubCache.CachedModel> models, Function<HubCache.CachedModel, String> column) {
        return models.stream().map(column).mapToInt(String::length).max().orElse(1);
    }

    private static String servable(HubCache.CachedModel model) {
        if (model.lack().isPresent()) {
            return "fetched in part: " + model.lack().get();
        }
        try {
            String format = Checkpoint.open(model.snapshot()).format();
            ModelText.open(model.snapshot(), null).tokenizer().close();
            return "serves as " + format;
        } catch (CheckpointException | TextException e) {
            return "cannot be served: " + e.getMessage().lines().findFirst().orElse("");
        }
    }
}
