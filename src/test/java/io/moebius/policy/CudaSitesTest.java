package io.moebius.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.backend.Activations;
import io.moebius.backend.Site;
import io.moebius.backend.cuda.CudaBackend;
import io.moebius.backend.cuda.EmulatedDriver;
import io.moebius.checkpoint.Checkpoint;
import io.moebius.model.Transformer;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a search would choose from on a GPU, over the driver that emulates one. */
class CudaSitesTest {

    private static final Path MODEL = Path.of("src/test/resources/fixtures/m-friendli-fp8");
    private static final int MOST = 32;

    @Test
    void everySiteOfAModelHasItsDefaultFirst() {
        try (CudaBackend backend = EmulatedDriver.backend(Activations.EIGHT_BIT)) {
            Transformer decoder = Transformer.load(
                    Checkpoint.open(MODEL), backend, MOST, MOST, loaded -> {});
            Steps steps = new ModelSteps(decoder, backend.kvCache(decoder.kvShape(), MOST), MOST);
            Collection<Site> sites = Search.sites(backend, steps);
            assertThat(sites).extracting(Site::kernel).contains("project", "experts", "attend");
            for (Site site : sites) {
                for (int tokens : Search.tokenCounts(512)) {
                    assertThat(backend.variants(site, tokens))
                            .as("%s at %d tokens", site, tokens)
                            .startsWith(backend.defaultVariant(site, tokens))
                            .doesNotHaveDuplicates();
                }
            }
            assertThat(Report.catalogue(backend, sites, List.of(1, 512))).contains(sites.iterator().next().toString(), "1*", "512*");
        }
    }

    @Test
    void aPolicyBelongsToAGpuItsMultiprocessorsAndItsDriver() {
        try (CudaBackend backend = EmulatedDriver.backend(Activations.EIGHT_BIT)) {
            Origin origin = Origin.of(backend, "toy", "fp8");
            assertThat(origin.device()).isEqualTo(backend.device()).isNotBlank();
            assertThat(origin.cores()).isEqualTo(backend.cores()).isPositive();
            assertThat(origin.driver()).isEqualTo(backend.driver()).isPositive();
            assertThat(origin.build()).isEqualTo("emulated");
        }
    }
}
