package io.moebius.backend.cuda;

import io.moebius.backend.KvCache;
import io.moebius.backend.Site;
import io.moebius.backend.Variant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The sites that calls have had, and the variants of each that this GPU can run. */
final class CudaCatalogue {

    private static final int HOPPER = 90;
    private static final int[] RASTERS = {1, 4, 8, 16, 32};
    private static final int DEFAULT_RASTER = 8;
    /** Blocks that a product of one token should have at least: two for each multiprocessor of an H200. */
    private static final int WANTED_BLOCKS = 264;
    private static final int MOST_SPLITS = 8;
    private static final int LEAST_SPLIT_BLOCKS = 4;

    /**
     * A product's shape.
     *
     * @param experts matrices, of which each token goes to {@code chosen}
     */
    record Product(KernelTable.Family family, int rows, int columns, boolean swiGlu, int experts, int chosen) {

        int blocksOfK() {
            return Math.ceilDiv(columns, KernelLayout.UNIT_ROW_BYTES / (family == KernelTable.Family.BF16_GEMM ? 2 : 1));
        }

        int strips() {
            return Math.ceilDiv(rows, KernelLayout.STRIP) * chosen;
        }

        /**
         * In how many parts K is summed: part of the recipe, so it follows from the shape alone, on every GPU. As many as give a lone
         * token's product enough blocks, each of some length, none empty.
         */
        int parts() {
            int parts = swiGlu ? 1 : Math.clamp(WANTED_BLOCKS / strips(), 1, Math.min(MOST_SPLITS, Math.max(1, blocksOfK() / LEAST_SPLIT_BLOCKS)));
            while ((parts - 1) * Math.ceilDiv(blocksOfK(), parts) >= blocksOfK()) {
                parts--;
            }
            return parts;
        }

        /** Rows that go to one matrix, where tokens are shared out evenly. */
        int rowsEach(int tokens) {
            return Math.ceilDiv(tokens * chosen, experts);
        }
    }

    private record ProductKey(String kernel, String part, String format, Product product) {}

    private record Attention(int heads, int kvHeads, int headDim, int type) {}

    private final KernelTable table;
    private final int computeCapability;
    private final int multiprocessors;
    private final Map<ProductKey, Site> products = new HashMap<>();
    private final Map<Attention, Site> attentions = new HashMap<>();
    private final Map<Site, Record> shapes = new HashMap<>();

    CudaCatalogue(KernelTable table, Driver.Device device) {
        this.table = table;
        this.computeCapability = device.computeCapability();
        this.multiprocessors = device.multiprocessors();
    }

    /**
     * @param part   what of the kernel this is: "gate and up"; empty for all
     * @param format of the weights
     */
    Site product(String kernel, String part, String format, Product product) {
        return products.computeIfAbsent(new ProductKey(kernel, part, format, product), key -> {
            String inputs = product.family() == KernelTable.Family.FP8_GEMM ? "e4m3 inputs" : "bf16 inputs";
            String experts = product.experts() == 1 ? "" : "%d of %d, ".formatted(product.chosen(), product.experts());
            Site site = new Site(kernel, "%s%d x %d %s, %s%s".formatted(
                    experts, product.rows(), product.columns(), format, inputs, part.isEmpty() ? "" : ", " + part));
            shapes.put(site, product);
            return site;
        });
    }

    Site attention(int heads, KvCache.Shape cache) {
        return attentions.computeIfAbsent(new Attention(heads, cache.heads(), cache.headDim(), CudaKvCache.type(cache)), shape -> {
            Site site = new Site("attend", "%d heads over %d, %d channels, %s".formatted(
                    heads, cache.heads(), cache.headDim(), shape.type() == CudaKernels.E4M3 ? "e4m3" : "bf16"));
            shapes.put(site, shape);
            return site;
        });
    }

    Variant defaultVariant(Site site, int tokens) {
        return switch (shapes.get(site)) {
            case Product product -> defaultProduct(product, tokens);
            case Attention attention -> byTiles(attention) ? new CudaVariant.TiledAttention(true) : new CudaVariant.GeneralAttention();
            case null, default -> throw new IllegalArgumentException("no call has had the site " + site);
        };
    }

    List<Variant> variants(Site site, int tokens) {
        List<Variant> variants = new ArrayList<>();
        switch (shapes.get(site)) {
            case Product product -> products(product, tokens, variants);
            case Attention attention when byTiles(attention) -> variants.add(new CudaVariant.TiledAttention(false));
            case Attention attention -> {}
            case null, default -> {
                return variants;
            }
        }
        Variant first = defaultVariant(site, tokens);
        variants.remove(first);
        variants.addFirst(first);
        return variants;
    }

    private boolean byTiles(Attention attention) {
        return table.attendsByTiles(attention.headDim(), attention.heads() / attention.kvHeads());
    }

    /** The smallest tile that holds the tokens of one matrix, on Hopper's own kernels; K spread where there are few strips. */
    private CudaVariant.Product defaultProduct(Product product, int tokens) {
        int rows = product.rowsEach(tokens);
        boolean spread = product.parts() > 1 && product.strips() < multiprocessors && rows <= 64;
        List<KernelTable.Entry> kernels = kernels(product);
        KernelTable.Entry chosen = null;
        for (KernelTable.Entry kernel : kernels) {
            boolean better = chosen == null
                    || chosen.tileTokens() < rows && kernel.tileTokens() > chosen.tileTokens()
                    || kernel.tileTokens() >= rows && kernel.tileTokens() < chosen.tileTokens()
                    || kernel.tileTokens() == chosen.tileTokens() && kernel.spread() == spread && chosen.spread() != spread;
            chosen = better ? kernel : chosen;
        }
        return new CudaVariant.Product(chosen, DEFAULT_RASTER);
    }

    private void products(Product product, int tokens, List<Variant> variants) {
        int rows = product.rowsEach(tokens);
        for (KernelTable.Entry kernel : kernels(product)) {
            // With tiles much larger than the tokens of a matrix most of the work is thrown away.
            if (kernel.tileTokens() > 16 && kernel.tileTokens() > 4 * rows) {
                continue;
            }
            if (rows <= kernel.tileTokens()) {
                variants.add(new CudaVariant.Product(kernel, DEFAULT_RASTER));
                continue;
            }
            for (int raster : RASTERS) {
                variants.add(new CudaVariant.Product(kernel, raster));
            }
        }
    }

    /** Whether the kernels that need wgmma run here. */
    boolean hopper() {
        return computeCapability == HOPPER;
    }

    /** Those of one instruction: others would give other bits. */
    private List<KernelTable.Entry> kernels(Product product) {
        boolean hopper = hopper() && product.family() == KernelTable.Family.FP8_GEMM;
        return table.of(product.family()).stream()
                .filter(kernel -> kernel.hopper() == hopper && kernel.swiGlu() == product.swiGlu())
                .filter(kernel -> !kernel.spread() || product.parts() > 1)
                .toList();
    }
}
