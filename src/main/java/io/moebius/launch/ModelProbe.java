package io.moebius.launch;

import io.moebius.backend.Backend;
import io.moebius.backend.Tunable;
import io.moebius.checkpoint.Checkpoint;
import io.moebius.model.Decoder;
import io.moebius.model.Transformer;
import io.moebius.policy.ModelSteps;
import io.moebius.policy.Origin;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** A loaded model whose steps are measured, without a server around it. */
record ModelProbe(Backend backend, Tunable tunable, ModelSteps steps) implements AutoCloseable {

    static final List<Flag> FLAGS = List.of(ModelFlags.HF_MODEL_NAME, ModelFlags.REVISION, EngineFlags.DEVICE, EngineFlags.CPU_INSTRUCTIONS, EngineFlags.ACTIVATIONS);

    private static final int SEQUENCES = 64;
    private static final int BLOCKS = 512;

    /**
     * @param maxTokens most tokens of a step
     * @param accept    hears what would be measured before the weights are loaded; what it throws ends the probe
     * @throws StartException if there is nothing to choose on the device
     */
    static ModelProbe open(Subcommand.Options options, Map<String, String> environment, int maxTokens, Consumer<Origin> accept) {
        try (ModelFolder folder = ModelFolder.find(options, environment)) {
            Checkpoint checkpoint = Checkpoint.open(folder.path());
            Backend backend = Backends.open(options);
            if (!(backend instanceof Tunable tunable)) {
                throw new StartException(ExitCode.USAGE, "the device has one variant of each kernel; give another --device");
            }
            accept.accept(KernelPolicy.origin(tunable, backend.activations(), checkpoint));
            Decoder decoder = Transformer.load(checkpoint, backend, maxTokens, SEQUENCES, fraction -> {});
            ModelSteps steps = new ModelSteps(decoder, backend.kvCache(decoder.kvShape(), BLOCKS), SEQUENCES);
            return new ModelProbe(backend, tunable, steps);
        }
    }

    @Override
    public void close() {
        backend.close();
    }
}
