package io.moebius.backend.cpu;

import io.moebius.backend.DType;
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
import java.util.stream.IntStream;

/** The sites that calls have had, and the variants of each. None changes how a sum is formed. */
final class CpuCatalogue {

    private static final int[] PANELS = {16, 32, 48, 64, 80, 96, 112, 128, 256, 512};
    /** For many tokens: their steps are long, and a search takes as many as there are variants. */
    private static final int[] FEWER_PANELS = {16, 32, 64, 128, 256, 512};
    private static final int DEFAULT_PANEL = 64;
    /** With which other interleaves are tried, and experts fused. */
    private static final Set<Integer> REFINED_PANELS = Set.of(32, DEFAULT_PANEL, 128);
    private static final int[] DIRECT = {4, 8, 16, 32};
    private static final int[] TASKS = {1, 2, 8, 32, 128};
    /** A decoded panel, of bfloat16, that is larger than this leaves every cache. */
    private static final long MOST_SCRATCH = 8 << 20;
    /** With more tokens than this there is work for all threads. */
    private static final int FEW_TOKENS = 16;
    /** Products below which waking another thread costs more than it gives. */
    private static final long LEAST_SHARED = 1 << 19;

    private static final int USUAL_CONTEXT = 256;

    /** @param share 1 / share of a step's tokens go to one matrix */
    private record ProductShape(int rows, int columns, int share) {}

    private record ExpertsShape(ProductShape product) {}

    private record AttentionShape(int heads, int kvHeads, int headDim, DType type) {}

    /**
     * What the registers of an instruction set decide: packed_f32.h and packed_bf16.h.
     *
     * @param direct tokens up to which decoding in registers is the faster
     * @param sums   of rows and tokens that they hold meanwhile
     * @param many   rows that are interleaved for more tokens than have sums beside twice as many rows
     */
    private record Registers(int direct, int sums, int many) {

        static Registers of(InstructionSet set) {
            return switch (set) {
                case AMX, AVX512_BF16 -> new Registers(8, 256, 64);
                case AVX512 -> new Registers(8, 256, 32);
                case AVX2 -> new Registers(32, 80, 16);
                case BASELINE -> new Registers(4, 32, 16);
            };
        }

        /** Half and twice as many rows as are interleaved by default, where they hold the sums of a token. */
        private IntStream interleaves(int tokens) {
            int usual = 64 * tokens <= sums ? 64 : 32 * tokens <= sums ? 32 : many;
            return IntStream.of(usual / 2, 2 * usual).filter(rows -> rows >= 16 && rows <= Math.min(64, sums));
        }
    }

    private record ProjectKey(boolean givesLogits, String shape) {}

    private record ExpertsKey(String gate, int experts, int topK) {}

    private final int threads;
    private final Registers registers;
    private final Map<ProjectKey, Site> projects = new HashMap<>();
    private final Map<ExpertsKey, Site> experts = new HashMap<>();
    private final Map<AttentionShape, Site> attentions = new HashMap<>();
    private final Map<Site, Record> shapes = new HashMap<>();

    CpuCatalogue(int threads, InstructionSet instructionSet) {
        this.threads = threads;
        this.registers = Registers.of(instructionSet);
    }

    Site project(CpuMatrix matrix) {
        return projects.computeIfAbsent(new ProjectKey(matrix.weight().givesLogits(), matrix.shape()), key -> {
            Site site = new Site(key.givesLogits() ? "lm_head" : "project", key.shape());
            shapes.put(site, new ProductShape(matrix.rows(), matrix.columns(), 1));
            return site;
        });
    }

    Site experts(CpuMatrix gate, int count, int topK) {
        return experts.computeIfAbsent(new ExpertsKey(gate.shape(), count, topK), key -> {
            Site site = new Site("experts", "%d of %d, %s".formatted(topK, count, gate.shape()));
            int columns = Math.max(gate.columns(), gate.rows());
            shapes.put(site, new ExpertsShape(new ProductShape(gate.rows(), columns, Math.max(1, count / topK))));
            return site;
        });
    }

    Site attend(int heads, KvCache.Shape cache) {
        return attentions.computeIfAbsent(new AttentionShape(heads, cache.heads(), cache.headDim(), CpuKvCache.type(cache)), shape -> {
            Site site = new Site("attend", "%d heads over %d, %d channels, %s".formatted(
                    heads, cache.heads(), cache.headDim(), shape.type().name().toLowerCase(Locale.ROOT)));
            shapes.put(site, shape);
            return site;
        });
    }

    /** As many threads as there is work for. */
    Variant defaultVariant(Site site, int tokens) {
        return switch (shapes.get(site)) {
            case ProductShape shape -> defaultProduct(shape, tokens);
            case ExpertsShape(ProductShape shape) -> new CpuVariant.Experts(defaultProduct(shape, tokens), false);
            case AttentionShape shape -> {
                int busy = busy(2L * shape.heads() * shape.headDim() * tokens * USUAL_CONTEXT);
                // As many heads together as leave each thread some tasks: they lie side by side.
                yield new CpuVariant.Attention(
                        busy, tokens >= 2 * busy ? shape.kvHeads() : Math.ceilDiv(shape.kvHeads(), busy), 1);
            }
            case null, default -> throw new IllegalArgumentException("no call has had the site " + site);
        };
    }

    private CpuVariant.Product defaultProduct(ProductShape shape, int tokens) {
        return new CpuVariant.Product(busy((long) shape.rows() * shape.columns() * tokens), DEFAULT_PANEL, registers.direct(), 0);
    }

    private int busy(long products) {
        return products < LEAST_SHARED ? 1 : threads;
    }

    List<Variant> variants(Site site, int tokens) {
        List<Variant> variants = switch (shapes.get(site)) {
            case ProductShape shape -> new ArrayList<>(products(shape, tokens));
            case ExpertsShape(ProductShape shape) -> experts(shape, tokens);
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

    private List<CpuVariant.Product> products(ProductShape shape, int tokens) {
        int perMatrix = Math.ceilDiv(tokens, shape.share());
        List<CpuVariant.Product> variants = new ArrayList<>();
        for (int count : threadCounts(tokens <= FEW_TOKENS)) {
            for (int panel : tokens <= FEW_TOKENS ? PANELS : FEWER_PANELS) {
                for (int direct : DIRECT) {
                    // Below, and for more tokens than it, all are the same; far beyond one tile none is faster.
                    boolean differs = direct == registers.direct() || (direct > registers.direct() && perMatrix > direct / 4 && perMatrix <= direct);
                    boolean fits = perMatrix <= direct || (long) panel * shape.columns() * Short.BYTES <= MOST_SCRATCH;
                    if (differs && fits && panel < shape.rows() + 16) {
                        CpuVariant.Product product = new CpuVariant.Product(count, panel, direct, 0);
                        variants.add(product);
                        if (refined(product)) {
                            registers.interleaves(perMatrix).filter(rows -> rows <= panel).forEach(rows ->
                                    variants.add(new CpuVariant.Product(count, panel, direct, rows)));
                        }
                    }
                }
            }
        }
        return variants;
    }

    /** Whether more than these three is varied, one at a time: a search takes as many steps as there are variants. */
    private boolean refined(CpuVariant.Product product) {
        return product.threads() == threads && product.direct() == registers.direct() && product.interleave() == 0
                && REFINED_PANELS.contains(product.panel());
    }

    private List<Variant> experts(ProductShape shape, int tokens) {
        List<Variant> variants = new ArrayList<>();
        for (CpuVariant.Product product : products(shape, tokens)) {
            variants.add(new CpuVariant.Experts(product, false));
            if (refined(product)) {
                variants.add(new CpuVariant.Experts(product, true));
            }
        }
        return variants;
    }

    private List<Variant> attentions(AttentionShape shape, int tokens) {
        List<Variant> variants = new ArrayList<>();
        boolean few = tokens <= Math.max(FEW_TOKENS, threads);
        for (int count : threadCounts(few)) {
            for (int run = 1; run <= shape.kvHeads(); run *= 2) {
                int share = tokens * shape.kvHeads() / run / count;
                // Of many pairs one or two, or a quarter of a thread's share.
                int[] tried = few ? TASKS : new int[] {1, 2, Math.max(4, share / 4)};
                for (int tasks : tried) {
                    if (tasks <= share) {
                        variants.add(new CpuVariant.Attention(count, run, tasks));
                    }
                }
            }
        }
        return variants;
    }

    /** All, and the powers of two below where there is little to do. */
    private Set<Integer> threadCounts(boolean few) {
        Set<Integer> counts = new TreeSet<>(Set.of(threads));
        for (int count = 1; few && count < threads; count *= 2) {
            counts.add(count);
        }
        return counts;
    }
}
