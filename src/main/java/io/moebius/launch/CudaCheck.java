package io.moebius.launch;

import io.moebius.backend.cuda.DriverCheck;
import io.moebius.backend.cuda.Fatbin;
import io.moebius.backend.cuda.LibraryDriver;
import java.util.List;

/** {@code moebius cuda-check}: whether this program can compute on this machine's GPU, before any model is loaded. */
final class CudaCheck {

    static final Subcommand SUBCOMMAND = new Subcommand(
            "cuda-check", "", List.of(),
            "Tries the GPU: the kernels load and compute, also from a recorded graph and by tensor map, and errors are reported.", CudaCheck::run);

    private CudaCheck() {}

    private static int run(Subcommand.Options options, Subcommand.Shell shell) {
        Fatbin fatbin = Backends.requireGpu();
        try (LibraryDriver driver = new LibraryDriver(0)) {
            List<DriverCheck.Finding> findings = new DriverCheck(driver, fatbin.bytes()).run();
            findings.forEach(finding -> shell.out().println(
                    "%-10s  %-6s  %s".formatted(finding.what(), finding.passed() ? "ok" : "FAILED", finding.found())));
            return findings.stream().allMatch(DriverCheck.Finding::passed) ? ExitCode.OK.status() : ExitCode.UNTRUE.status();
        } catch (RuntimeException | LinkageError e) {
            throw new StartException(ExitCode.NO_BACKEND, "the GPU cannot be used: " + Console.firstLine(e));
        }
    }
}
