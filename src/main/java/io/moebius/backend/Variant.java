package io.moebius.backend;

/** One way to run the kernel of a site. All variants of a site give the same bits. */
public interface Variant {

    /** Its parameters, unlike those of every other variant of the site: "2 threads, 32 rows". */
    String name();
}
