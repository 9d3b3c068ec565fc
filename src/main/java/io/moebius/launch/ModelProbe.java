package io.moebius.launch;

import io.moebius.backend.Activations;
import io.moebius.backend.Backend;
import io.moebius.backend.Tunable;
import io.moebius.checkpoint.Checkpoint;
import io.moebius.checkpoint.CheckpointException;
import io.moebius.hub.EmbeddedModel;
import io.moebius.hub.HubException;
import io.moebius.hub.ModelSource;
import io.moebius.model.Decoder;
import io.moebius.model.Transformer;
import io.moebius.policy.ModelSteps;
import io.moebius.policy.Origin;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A loaded model whose steps are measured, without a server around it. */
record ModelProbe(Backend backend, Tunable tunable, ModelSteps steps, Origin origin, Path unpacked) implements AutoCloseable {

    static final List<Flag> FLAGS = List.of(ModelFlags.HF_MODEL_NAME, ModelFlags.REVISION, EngineFlags.CPU_INSTRUCTIONS);

    private static final int SEQUENCES = 64;
    private static final int BLOCKS = 512;

    /**
     * @param maxTokens most tokens of a step
     * @throws StartException if there is no such model
     */
    static ModelProbe open(Subcommand.Options options, Map<String, String> environment, int maxTokens) {
        String name = options.required(ModelFlags.HF_MODEL_NAME);
        Path unpacked = null;
        try {
            unpacked = name.equals(EmbeddedModel.NAME) ? EmbeddedModel.unpack(Path.of(System.getProperty("java.io.tmpdir"))) : null;
            Path folder = unpacked != null
                    ? unpacked
                    : ModelSource.of(environment).find(name, options.required(ModelFlags.REVISION), (done, all) -> {}, Console::note);
            Checkpoint checkpoint = Checkpoint.open(folder);
            Backend backend = Backends.open("auto", options.required(EngineFlags.CPU_INSTRUCTIONS), Activations.SIXTEEN_BIT);
            Tunable tunable = (Tunable) backend;
            Decoder decoder = Transformer.load(checkpoint, backend, maxTokens, SEQUENCES, fraction -> {});
            ModelSteps steps = new ModelSteps(decoder, backend.kvCache(decoder.kvShape(), BLOCKS), SEQUENCES);
            return new ModelProbe(backend, tunable, steps, KernelPolicy.origin(tunable, backend.activations(), checkpoint), unpacked);
        } catch (HubException e) {
            throw new StartException(ExitCode.of(e), e.getMessage());
        } catch (CheckpointException e) {
            throw new StartException(ExitCode.BAD_CHECKPOINT, e.getMessage());
        }
    }

    @Override
    public void close() {
        backend.close();
        if (unpacked != null) {
            EmbeddedModel.delete(unpacked);
        }
    }
}
