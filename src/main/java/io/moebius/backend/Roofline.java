package io.moebius.backend;

/**
 * What a device can do at most, measured on it (Williams, Waterman and Patterson 2009).
 *
 * @param readBytesPerSecond a reduction over memory much larger than any cache, on all threads
 * @param flopsPerSecond     independent multiply-adds in registers, on all threads; a multiply-add is two
 * @param instruction        that reached flopsPerSecond, for people
 */
public record Roofline(double readBytesPerSecond, double flopsPerSecond, String instruction) {

    /** The shortest time in which so many bytes can be read and so many flops be done, at best side by side. */
    public double seconds(double bytes, double flops) {
        return Math.max(bytes / readBytesPerSecond, flops / flopsPerSecond);
    }
}
