package io.moebius.launch;

import io.moebius.backend.cuda.CudaMachine;

/** Whether this machine has what --num-devices asks for, known before anything is fetched. */
final class Devices {

    private Devices() {}

    /** @throws StartException with {@link ExitCode#USAGE} */
    static void check(long asked, String device) {
        if (asked > 1) {
            throw new StartException(ExitCode.USAGE, "--num-devices is %d; %s".formatted(asked, complaint(asked, device)));
        }
    }

    private static String complaint(long asked, String device) {
        if (device.equals("cpu") || device.equals("reference")) {
            return "--device %s is one device, give 1".formatted(device);
        }
        int visible = visible();
        return asked <= visible
                ? "sharing a model among GPUs is not supported yet, give 1"
                : "%s, give 1".formatted(visible == 0 ? "no GPU is visible" : visible == 1 ? "1 GPU is visible" : visible + " GPUs are visible");
    }

    private static int visible() {
        try {
            return CudaMachine.probe().devices();
        } catch (LinkageError e) {
            return 0;
        }
    }
}
