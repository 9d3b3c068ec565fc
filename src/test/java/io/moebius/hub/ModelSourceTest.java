package io.moebius.hub;

import static io.moebius.hub.HubModel.CONFIG;
import static io.moebius.hub.HubModel.SHARD;
import static io.moebius.hub.HubModel.WEIGHTS;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is fetched of a model, once, by branch and by commit. */
class ModelSourceTest {

    @AutoClose
    private final HubModel model;

    ModelSourceTest(@TempDir Path folder) {
        model = new HubModel(folder);
    }

    @Test
    void fetchesWhatIsNeededAlone() {
        model.hub.file("pytorch_model.bin", new byte[9]).file("README.md", new byte[9]).file("consolidated.00.safetensors", new byte[9])
                .file("tokenizer.json", new byte[9]).file("original/model.safetensors", new byte[9]);
        model.fetch();
        assertThat(model.hub.requests).filteredOn(path -> path.contains("/resolve/")).extracting(path -> path.substring(path.lastIndexOf('/') + 1))
                .containsExactlyInAnyOrder("config.json", SHARD, "tokenizer.json");
    }

    @Test
    void asksForNothingTwice() {
        model.fetch();
        model.hub.requests.clear();
        model.fetch();
        assertThat(model.hub.requests).containsExactly("/api/models/org/name/revision/main");
    }

    @Test
    void fetchesACommitByItself() {
        assertThat(model.fetch(TestHub.COMMIT)).exists();
        assertThat(model.repository().resolve("refs")).doesNotExist();
    }

    @Test
    void takesTheBeginningOfACommitThatIsCached() {
        Path snapshot = model.fetch();
        model.hub.requests.clear();
        assertThat(model.fetch(TestHub.COMMIT.substring(0, 12))).isEqualTo(snapshot);
        assertThat(model.hub.requests).containsExactly("/api/models/org/name/revision/" + TestHub.COMMIT);
        assertThat(model.fetchOffline(TestHub.COMMIT.substring(0, 12))).isEqualTo(snapshot);
    }

    @Test
    void findsByItsBranchWhatWasFetchedAsACommit() throws IOException {
        model.fetch(TestHub.COMMIT);
        model.fetch();
        model.hub.close();
        model.assertWhole(model.fetch());
    }

    @Test
    void asksNobodyForAFolder(@TempDir Path local) {
        assertThat(model.find(local.toString())).isEqualTo(local);
        assertThat(model.hub.requests).isEmpty();
    }

    @Test
    void saysHowFarItIs() {
        List<Long> done = Collections.synchronizedList(new ArrayList<>());
        List<Long> of = Collections.synchronizedList(new ArrayList<>());
        model.fetchTelling((bytes, all) -> {
            done.add(bytes);
            of.add(all);
        });
        assertThat(Collections.max(done)).isEqualTo(WEIGHTS.length + CONFIG.length);
        assertThat(of).containsOnly((long) WEIGHTS.length + CONFIG.length);
    }

    @Test
    void sendsTheTokenToTheHubAlone() {
        model.hub.token = "hf_secret";
        model.fetchWithToken("hf_secret");
        assertThat(model.hub.storeAuthorizations).containsExactly("null");
    }

    @Test
    void twoAtOnceFetchEachFileOnce() throws Exception {
        Thread other = Thread.ofPlatform().start(model::fetch);
        model.fetch();
        other.join();
        model.assertWhole(model.cache().find(TestHub.REPOSITORY, "main"));
    }
}
