package io.moebius.hub;

/** Hears how far a download is; called from several threads. */
@FunctionalInterface
public interface Progress {

    /**
     * @param bytes    that are there, those of earlier runs included
     * @param allBytes of all files
     */
    void downloaded(long bytes, long allBytes);
}
