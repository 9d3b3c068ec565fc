package io.moebius.hub;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.hub.HubException.Kind;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A Hub that is down, or that may not be asked. */
class HubOutOfReachTest {

    @AutoClose
    private final HubModel model;

    HubOutOfReachTest(@TempDir Path folder) {
        model = new HubModel(folder);
    }

    @Test
    void makesNoConnectionWhenOffline() throws IOException {
        model.fetch();
        model.hub.requests.clear();
        Path snapshot = model.fetchOffline("main");
        model.assertWhole(snapshot);
        assertThat(model.hub.requests).isEmpty();
        assertThat(model.warnings).isEmpty();
    }

    @Test
    void usesWhatIsCachedWhileTheHubIsDown() throws IOException {
        model.fetch();
        model.hub.close();
        model.assertWhole(model.fetch());
        assertThat(model.warnings).hasSize(1).first().asString().contains("cannot be asked", "cached revision is used");
    }

    @Test
    void saysThatTheHubIsDownWhereNothingIsCached() {
        model.hub.close();
        model.assertFails(Kind.UNREACHABLE, "cannot be asked", "check the network");
    }
}
