package io.moebius.backend;

import java.util.Comparator;

/**
 * A kernel together with the shape it works on: what a policy chooses a variant for.
 *
 * @param kernel "project", "lm_head", "experts" or "attend"
 * @param shape  sizes and formats, for people and files: "4096 x 14336 e4m3, a scale per tensor"
 */
public record Site(String kernel, String shape) implements Comparable<Site> {

    private static final Comparator<Site> ORDER = Comparator.comparing(Site::kernel).thenComparing(Site::shape);

    @Override
    public int compareTo(Site other) {
        return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
        return kernel + " " + shape;
    }
}
