package io.moebius.launch;

import io.moebius.backend.Activations;
import io.moebius.backend.Backend;
import io.moebius.backend.cpu.CpuBackend;
import io.moebius.backend.cpu.InstructionSet;
import io.moebius.backend.reference.ReferenceBackend;
import java.util.Locale;

/** Which backend --device means on this machine. */
final class Backends {

    private Backends() {}

    /**
     * @param instructions of the CPU, or auto
     * @throws StartException if its kernels cannot be used
     */
    static Backend open(String device, String instructions, Activations activations) {
        return switch (device) {
            case "reference" -> new ReferenceBackend(activations);
            case "cuda" -> throw new StartException(
                    ExitCode.USAGE, "--device is \"cuda\"; not supported yet; allowed: auto, cpu, reference");
            default -> cpu(instructions, activations);
        };
    }

    private static Backend cpu(String instructions, Activations activations) {
        try {
            InstructionSet set = instructions.equals("auto")
                    ? InstructionSet.best()
                    : InstructionSet.valueOf(instructions.toUpperCase(Locale.ROOT));
            if (!set.supported()) {
                throw new StartException(ExitCode.NO_BACKEND, "--cpu-instructions is \"%s\", which this processor lacks; its best is %s"
                        .formatted(instructions, InstructionSet.best().name().toLowerCase(Locale.ROOT)));
            }
            return new CpuBackend(activations, set, Runtime.getRuntime().availableProcessors());
        } catch (LinkageError | IllegalStateException e) {
            throw new StartException(
                    ExitCode.NO_BACKEND, "the CPU kernels cannot be used: " + Console.firstLine(e) + "; try --device reference");
        }
    }
}
