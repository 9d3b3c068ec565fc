package io.moebius.backend;

/** The device has failed for good: nothing on it can be used again by this process. */
public final class DeviceLostException extends RuntimeException {

    /** @param message names the call that failed and what the device said */
    public DeviceLostException(String message) {
        super(message);
    }
}
