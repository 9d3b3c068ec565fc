package io.moebius.backend.cpu;

import io.moebius.backend.KvCache;
import io.moebius.backend.Site;
import io.moebius.backend.Variant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** The sites that calls have had, and the variants of each. None changes how a sum is formed. */
final class CpuCatalogue {

    private static final int[] PANELS = {4, 8, 16, 32, 64, 128, 256, 512};
    private static final int DEFAULT_PANEL = 16;
    private static final int[] TASKS = {1, 2, 4, 8, 16, 32, 64, 128};
    private static final int TILE_TOKENS = 4;
    private static final int[] DIRECT = {4, 16};
    /** A decoded panel larger than this leaves every cache. */
    private static final long MOST_SCRATCH = 8 << 20;
    /** With more tokens than this, fewer threads are never faster. */
    private static final int FEW_TOKENS = 16;

    /** Products below which waking another thread costs more than it gives. */
    private static final long LEAST_SHARED = 1 << 19;
    private static final int USUAL_CONTEXT = 256;

    /** @param share of a step's tokens that one matrix gets, 1 / share */
    private record ProductShape(int rows, int columns, int share) {}

    private record AttentionShape(int heads, long channels) {}

    private record ExpertsKey(String gate, int experts, int topK) {}

    private final int threads;
    private final Map<String, Site> projects = new HashMap<>();
    private final Map<ExpertsKey, Site> experts = new HashMap<>();
    private final Map<Site, Record> shapes = new HashMap<>();

    CpuCatalogue(int threads) {
        this.threads = threads;
    }

    Site project(CpuMatrix matrix) {
        return projects.computeIfAbsent(matrix.shape(), shape -> {
            Site site = new Site("project", shape);
            shapes.put(site, new ProductShape(matrix.rows(), matrix.columns(), 1));
            return site;
        });
    }

    Site experts(CpuMatrix gate, int count, int topK) {
        return experts.computeIfAbsent(new ExpertsKey(gate.shape(), count, topK), key -> {
            Site site = new Site("experts", "%d of %d, %s".formatted(topK, count, gate.shape()));
            shapes.put(site, new ProductShape(
                    gate.rows(), Math.max(gate.columns(), gate.rows()), Math.max(1, count / topK)));
            return site;
        });
    }

    Site attend(int heads, KvCache.Shape shape) {
        Site site = new Site("attend", "%d heads over %d, %d channels".formatted(heads, shape.heads(), shape.headDim()));
        shapes.putIfAbsent(site, new AttentionShape(heads, 2L * heads * shape.headDim()));
        return site;
    }

    /** As many threads as there is work for. */
    Variant defaultVariant(Site site, int tokens) {
        return switch (shapes.get(site)) {
            case ProductShape shape -> new CpuVariant.Product(
                    busy((long) shape.rows() * shape.columns() * tokens), DEFAULT_PANEL, TILE_TOKENS);
            case AttentionShape shape -> new CpuVariant.Attention(busy(shape.channels() * tokens * USUAL_CONTEXT), 1);
            case null, default -> throw new IllegalArgumentException("no call has had the site " + site);
        };
    }

    private int busy(long products) {
        return products < LEAST_SHARED ? 1 : threads;
    }

    List<Variant> variants(Site site, int tokens) {
        List<Variant> variants = switch (shapes.get(site)) {
            case ProductShape shape -> products(shape, tokens);
            case AttentionShape shape -> attentions(shape, tokens);
            case null, default -> new ArrayList<>();
        };
        if (!variants.isEmpty()) {
            Variant first = defaultVariant(site, tokens);
            variants.remove(first);
            variants.addFirst(first);
        }
        return variants;
    }

    private List<Variant> products(ProductShape shape, int tokens) {
        int perMatrix = Math.ceilDiv(tokens, shape.share());
        List<Variant> variants = new ArrayList<>();
        for (int count : threadCounts(tokens)) {
            for (int panel : PANELS) {
                if (panel > Math.max(shape.rows(), DEFAULT_PANEL)) {
                    continue;
                }
                for (int direct : DIRECT) {
                    // Up to one tile of tokens both are the same; far beyond the second is never faster.
                    boolean matters = direct == TILE_TOKENS || (perMatrix > TILE_TOKENS / 2 && perMatrix <= direct);
                    boolean fits = perMatrix <= direct || (long) panel * shape.columns() * Float.BYTES <= MOST_SCRATCH;
                    if (matters && fits) {
                        variants.add(new CpuVariant.Product(count, panel, direct));
                    }
                }
            }
        }
        return variants;
    }

    private List<Variant> attentions(AttentionShape shape, int tokens) {
        List<Variant> variants = new ArrayList<>();
        for (int count : threadCounts(tokens)) {
            for (int tasks : TASKS) {
                if ((long) tasks * count <= Math.max(2L, (long) tokens * shape.heads())) {
                    variants.add(new CpuVariant.Attention(count, tasks));
                }
            }
        }
        return variants;
    }

    /** All, and the powers of two below where there is little to do. */
    private Set<Integer> threadCounts(int tokens) {
        Set<Integer> counts = new TreeSet<>(Set.of(threads));
        for (int count = 1; tokens <= FEW_TOKENS && count < threads; count *= 2) {
            counts.add(count);
        }
        return counts;
    }
}
