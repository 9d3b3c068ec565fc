package io.moebius.backend.cuda;

/** A call that the driver has refused; the device can still be used. */
public final class CudaException extends RuntimeException {

    private static final String OUT_OF_MEMORY = "CUDA_ERROR_OUT_OF_MEMORY";

    private final String error;

    /** @param site what the call was for */
    CudaException(String call, String error, String site) {
        super("%s failed with %s at %s".formatted(call, error, site));
        this.error = error;
    }

    boolean outOfMemory() {
        return error.equals(OUT_OF_MEMORY);
    }
}
