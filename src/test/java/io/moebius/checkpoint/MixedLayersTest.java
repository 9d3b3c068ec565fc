package io.moebius.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which of six layers have no experts. */
class MixedLayersTest {

    private static Set<Integer> dense(Architecture architecture, String json) throws JsonProcessingException {
        return new TreeSet<>(architecture.denseLayers(new ConfigFields(new ObjectMapper().readTree(json.replace('`', '"'))), 6));
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "{} ; []",
        "{`mlp_only_layers`:[],`decoder_sparse_step`:1} ; []",
        "{`mlp_only_layers`:[0,5]} ; [0, 5]",
        "{`decoder_sparse_step`:2} ; [0, 2, 4]",
        "{`mlp_only_layers`:[1],`decoder_sparse_step`:3} ; [0, 1, 3, 4]",
    })
    void layersOfQwen3Moe(String config, String layers) throws JsonProcessingException {
        assertThat(dense(Architecture.QWEN3_MOE, config)).hasToString(layers);
    }

    @Test
    void allOfADenseModelAndNoneOfMixtral() throws JsonProcessingException {
        assertThat(dense(Architecture.QWEN3, "{}")).hasSize(6);
        assertThat(dense(Architecture.MIXTRAL, "{}")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "{`mlp_only_layers`:[6]} ; mlp_only_layers is [6]; allowed: a list of whole numbers from 0 to 5",
        "{`mlp_only_layers`:[0.5]} ; mlp_only_layers is [0.5]",
        "{`mlp_only_layers`:3} ; mlp_only_layers is 3",
        "{`decoder_sparse_step`:0} ; decoder_sparse_step is 0",
    })
    void refusesWhatIsNone(String config, String message) {
        assertThatThrownBy(() -> dense(Architecture.QWEN3_MOE, config)).isInstanceOf(CheckpointException.class).hasMessageContaining(message);
    }
}
