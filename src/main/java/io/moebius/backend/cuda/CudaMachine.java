package io.moebius.backend.cuda;

import java.util.Optional;

/**
 * What this machine has for CUDA; asking fails nowhere.
 *
 * @param driverFound       whether there is a driver's library
 * @param result            of the driver's first call that failed; 0: none
 * @param driverVersion     newest CUDA that the driver knows: major * 1000 + minor * 10
 * @param devices           visible ones
 * @param computeCapability of the first: major * 10 + minor
 * @param deviceName        of the first
 */
public record CudaMachine(boolean driverFound, int result, int driverVersion, int devices, int computeCapability, String deviceName) {

    /** The presets and the runtime are those of CUDA 13. */
    private static final int LEAST_DRIVER = 13000;
    /** The first with FP8 products. */
    private static final int LEAST_CAPABILITY = 89;
    private static final int CUDA_ERROR_NO_DEVICE = 100;

    /** Asks the driver, where there is one. */
    public static CudaMachine probe() {
        try (CudaProbe.Machine found = new CudaProbe.Machine()) {
            CudaProbe.moebius_probe_cuda(found);
            return new CudaMachine(
                    found.driver_found() != 0, found.result(), found.driver_version(), found.devices(), found.compute_capability(),
                    found.device_name());
        }
    }

    /** Whether anybody can mean to compute with CUDA here. */
    public boolean hasDevice() {
        return devices > 0;
    }

    /** Why the kernels cannot run on the first device, and what to do; empty if they can. */
    public Optional<String> refusal() {
        if (!driverFound) {
            return Optional.of("there is no NVIDIA driver (libcuda.so.1); install one, or run the container with --gpus");
        }
        if (driverVersion > 0 && driverVersion < LEAST_DRIVER) {
            return Optional.of("the NVIDIA driver knows CUDA %s at most, Moebius needs %s; install driver 580 or newer"
                    .formatted(version(driverVersion / 1000, driverVersion % 1000 / 10), version(LEAST_DRIVER / 1000, 0)));
        }
        if (result == CUDA_ERROR_NO_DEVICE || result == 0 && devices == 0) {
            return Optional.of("no GPU is visible; check nvidia-smi and CUDA_VISIBLE_DEVICES");
        }
        if (result != 0) {
            return Optional.of("the NVIDIA driver answers with error %d; check nvidia-smi".formatted(result));
        }
        if (computeCapability < LEAST_CAPABILITY) {
            return Optional.of("FP8 needs Ada, Hopper or Blackwell (compute capability 8.9 or more); this is %s (%s)"
                    .formatted(deviceName, version(computeCapability / 10, computeCapability % 10)));
        }
        return Optional.empty();
    }

    private static String version(int major, int minor) {
        return major + "." + minor;
    }
}
