package io.moebius.launch;

import io.moebius.backend.Activations;
import io.moebius.backend.Backend;
import io.moebius.backend.DeviceLostException;
import io.moebius.backend.cpu.CpuBackend;
import io.moebius.backend.cpu.InstructionSet;
import io.moebius.backend.cuda.CudaBackend;
import io.moebius.backend.cuda.CudaException;
import io.moebius.backend.cuda.CudaMachine;
import io.moebius.backend.cuda.Fatbin;
import io.moebius.backend.cuda.LibraryDriver;
import io.moebius.backend.reference.ReferenceBackend;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;

/** Which backend --device means on this machine. */
final class Backends {

    private Backends() {}

    /** As a tool's flags say. */
    static Backend open(Subcommand.Options options) {
        return open(
                options.required(EngineFlags.DEVICE), options.required(EngineFlags.CPU_INSTRUCTIONS),
                options.required(EngineFlags.ACTIVATIONS), Console::note);
    }

    /**
     * @param instructions of the CPU, or auto
     * @param activations  16bit, 8bit, or auto
     * @param warning      hears why a GPU is left unused
     * @throws StartException if the device's kernels cannot be used
     */
    static Backend open(String device, String instructions, String activations, Consumer<String> warning) {
        return switch (device) {
            case "reference" -> new ReferenceBackend(activations(activations, Activations.SIXTEEN_BIT));
            case "cuda" -> cuda(activations);
            case "auto" -> gpu(activations, warning).orElseGet(() -> cpu(instructions, activations));
            default -> cpu(instructions, activations);
        };
    }

    private static Activations activations(String flag, Activations otherwise) {
        return switch (flag) {
            case "8bit" -> Activations.EIGHT_BIT;
            case "16bit" -> Activations.SIXTEEN_BIT;
            default -> otherwise;
        };
    }

    /** Empty where there is no GPU, and with a warning where there is one that cannot be used. */
    private static Optional<Backend> gpu(String activations, Consumer<String> warning) {
        try {
            CudaMachine machine = CudaMachine.probe();
            if (machine.driverFound() && machine.hasDevice()) {
                return Optional.of(cuda(activations, kernelsFor(machine)));
            }
        } catch (StartException | DeviceLostException e) {
            warning.accept("the GPU is not used, the CPU computes: " + Console.firstLine(e));
        } catch (LinkageError e) {
            // No NVIDIA driver can be asked here.
        }
        return Optional.empty();
    }

    private static Backend cuda(String activations) {
        try {
            return cuda(activations, requireGpu());
        } catch (StartException e) {
            throw new StartException(e.code(), "--device is \"cuda\": %s; or give --device cpu".formatted(e.getMessage()));
        }
    }

    private static Backend cuda(String activations, Fatbin fatbin) {
        try {
            return new CudaBackend(activations(activations, Activations.EIGHT_BIT), new LibraryDriver(0), fatbin.bytes(), fatbin.build());
        } catch (LinkageError | CudaException e) {
            throw new StartException(ExitCode.NO_BACKEND, "the CUDA kernels cannot be used: " + Console.firstLine(e));
        }
    }

    /**
     * The kernels for the GPU that is there.
     *
     * @throws StartException with the reason alone, if there is none that they run on
     */
    static Fatbin requireGpu() {
        try {
            return kernelsFor(CudaMachine.probe());
        } catch (LinkageError e) {
            throw new StartException(ExitCode.NO_BACKEND, "the CUDA kernels cannot be used: " + Console.firstLine(e));
        }
    }

    private static Fatbin kernelsFor(CudaMachine machine) {
        machine.refusal().ifPresent(reason -> {
            throw new StartException(ExitCode.NO_BACKEND, reason);
        });
        return InstalledFiles.find()
                .map(InstalledFiles::libraries)
                .map(Fatbin::in)
                .orElseGet(Fatbin::packed)
                .orElseThrow(() -> new StartException(
                        ExitCode.NO_BACKEND, "this program was built without the CUDA kernels, because there was no nvcc"));
    }

    private static Backend cpu(String instructions, String activations) {
        try {
            InstructionSet set = instructions.equals("auto")
                    ? InstructionSet.best()
                    : InstructionSet.valueOf(instructions.toUpperCase(Locale.ROOT));
            if (!set.supported()) {
                throw new StartException(ExitCode.NO_BACKEND, "--cpu-instructions is \"%s\", which this processor lacks; its best is %s"
                        .formatted(instructions, InstructionSet.best().name().toLowerCase(Locale.ROOT)));
            }
            return new CpuBackend(activations(activations, Activations.SIXTEEN_BIT), set, Runtime.getRuntime().availableProcessors());
        } catch (LinkageError | IllegalStateException e) {
            throw new StartException(
                    ExitCode.NO_BACKEND, "the CPU kernels cannot be used: " + Console.firstLine(e) + "; try --device reference");
        }
    }
}
