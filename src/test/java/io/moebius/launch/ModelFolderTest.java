package io.moebius.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moebius.hub.EmbeddedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelFolderTest {

    @TempDir
    private Path temporary;

    @Test
    void takesTheDemoModelAsItWasBuilt() {
        Path folder = EmbeddedModel.unpack(temporary);
        assertThat(ModelFolder.demo(folder).path()).isEqualTo(folder);
    }

    @Test
    void refusesAnotherModelInItsPlace() throws IOException {
        Path folder = EmbeddedModel.unpack(temporary);
        Path weights = folder.resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        bytes[bytes.length - 1]++;
        Files.write(weights, bytes);
        assertThatThrownBy(() -> ModelFolder.demo(folder)).isInstanceOf(StartException.class).hasMessageContaining(folder.toString());
    }
}
