package io.moebius.hub;

/**
 * A file of a repository on the Hub.
 *
 * @param name   without folders
 * @param etag   name of its blob: SHA-256 of the content in hex, or for small files git's SHA-1
 */
record RemoteFile(String name, long bytes, String etag) {

    boolean sha256() {
        return etag.length() == 64;
    }
}
