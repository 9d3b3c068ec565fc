package io.moebius.launch;

import io.moebius.backend.Activations;
import io.moebius.backend.Backend;
import io.moebius.backend.cpu.CpuBackend;
import io.moebius.backend.reference.ReferenceBackend;

/** Which backend --device means on this machine. */
final class Backends {

    private Backends() {}

    /** @throws StartException if its kernels cannot be used */
    static Backend open(String device, Activations activations) {
        return switch (device) {
            case "reference" -> new ReferenceBackend(activations);
            case "cuda" -> throw new StartException(
                    ExitCode.USAGE, "--device is \"cuda\"; not supported yet; allowed: auto, cpu, reference");
            default -> cpu(activations);
        };
    }

    private static Backend cpu(Activations activations) {
        try {
            return new CpuBackend(activations);
        } catch (LinkageError | IllegalStateException e) {
            throw new StartException(
                    ExitCode.NO_BACKEND, "the CPU kernels cannot be used: " + Console.firstLine(e) + "; try --device reference");
        }
    }
}
