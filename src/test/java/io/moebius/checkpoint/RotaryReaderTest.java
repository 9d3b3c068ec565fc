package io.moebius.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.moebius.checkpoint.RotaryPositions.Linear;
import io.moebius.checkpoint.RotaryPositions.Llama3;
import io.moebius.checkpoint.RotaryPositions.Unscaled;
import io.moebius.checkpoint.RotaryPositions.Yarn;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every way in which a configuration says how positions are scaled. */
class RotaryReaderTest {

    private static final int POSITIONS = 32768;

    private static RotaryPositions read(String json) {
        try {
            return RotaryReader.read(new ConfigFields(new ObjectMapper().readTree(json.replace('`', '"'))), 1e4, POSITIONS);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "{}", "{`rope_scaling`:null}", "{`rope_scaling`:{}}", "{`rope_scaling`:{`type`:`default`}}", "{`rope_parameters`:null}",
        "{`rope_parameters`:{`rope_type`:`default`,`rope_theta`:10000.0}}", "{`partial_rotary_factor`:1.0}"})
    void unscaled(String config) {
        assertThat(read(config)).isEqualTo(new RotaryPositions(1e4, new Unscaled()));
    }

    @Test
    void takesThetaFromEitherPlace() {
        assertThat(read("{`rope_theta`:500000.0}").theta()).isEqualTo(5e5);
        assertThat(read("{`rope_parameters`:{`rope_theta`:500000}}").theta()).isEqualTo(5e5);
        assertThat(read("{`rope_theta`:10000,`rope_parameters`:{`rope_theta`:500000}}").theta()).isEqualTo(5e5);
    }

    @Test
    void anEmptyScalingLeavesTheParameters() {
        assertThat(read("{`rope_scaling`:{},`rope_parameters`:{`rope_type`:`linear`,`factor`:2,`rope_theta`:1e6}}"))
                .isEqualTo(new RotaryPositions(1e6, new Linear(2)));
    }

    @Test
    void linear() {
        assertThat(read("{`rope_scaling`:{`type`:`linear`,`factor`:4}}").scaling()).isEqualTo(new Linear(4));
        assertThat(read("{`rope_parameters`:{`rope_type`:`linear`,`factor`:2.5,`rope_theta`:1e6}}"))
                .isEqualTo(new RotaryPositions(1e6, new Linear(2.5)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"rope_scaling", "rope_parameters"})
    void llama3(String key) {
        assertThat(read("{`%s`:{`factor`:8.0,`low_freq_factor`:1.0,`high_freq_factor`:4.0,`original_max_position_embeddings`:8192,`rope_type`:`llama3`}}"
                        .formatted(key))
                .scaling()).isEqualTo(new Llama3(8, 1, 4, 8192));
    }

    @Test
    void yarnWithWhatItsAuthorsRecommend() {
        assertThat(read("{`rope_scaling`:{`type`:`yarn`,`factor`:4.0,`original_max_position_embeddings`:8192}}").scaling())
                .isEqualTo(new Yarn(4, 32, 1, 8192, true, 0.1 * Math.log(4) + 1));
    }

    @Test
    void yarnWithAllItsNumbers() {
        assertThat(read("{`rope_scaling`:{`rope_type`:`yarn`,`factor`:4,`beta_fast`:16,`beta_slow`:2,`truncate`:false,`attention_factor`:1.5}}").scaling())
                .isEqualTo(new Yarn(4, 16, 2, POSITIONS, false, 1.5));
        assertThat(read("{`rope_scaling`:{`rope_type`:`yarn`,`factor`:40,`mscale`:1.0,`mscale_all_dim`:0.5}}").scaling())
                .isEqualTo(new Yarn(40, 32, 1, POSITIONS, true, (0.1 * Math.log(40) + 1) / (0.05 * Math.log(40) + 1)));
    }

    @Test
    void yarnWhoseFactorIsTheRatioOfThePositions() {
        assertThat(read("{`rope_scaling`:{`rope_type`:`yarn`,`original_max_position_embeddings`:8192}}").scaling())
                .isEqualTo(new Yarn(4, 32, 1, 8192, true, 0.1 * Math.log(4) + 1));
    }

    @Test
    void yarnMakesSequencesLonger() {
        assertThat(read("{`rope_scaling`:{`type`:`yarn`,`factor`:4.0,`original_max_position_embeddings`:32768}}").most(40960)).isEqualTo(131072);
        assertThat(read("{`rope_scaling`:{`type`:`yarn`,`factor`:4.0,`original_max_position_embeddings`:32768}}").most(262144)).isEqualTo(262144);
        assertThat(read("{`rope_scaling`:{`type`:`yarn`,`factor`:1e300}}").most(40960)).isEqualTo(1 << 24);
        assertThat(read("{`rope_scaling`:{`type`:`linear`,`factor`:4.0}}").most(40960)).isEqualTo(40960);
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "{`rope_scaling`:{`type`:`dynamic`,`factor`:2}} ; rope_scaling: rope_type is \"dynamic\"; allowed: \"default\", \"linear\", \"llama3\" and \"yarn\"",
        "{`rope_scaling`:{`rope_type`:`longrope`}} ; \"longrope\"",
        "{`rope_scaling`:{`type`:`su`}} ; \"su\"",
        "{`rope_scaling`:{`type`:`mrope`,`mrope_section`:[16,24,24]}} ; \"mrope\"",
        "{`rope_parameters`:{`rope_type`:`proportional`}} ; rope_parameters: rope_type is \"proportional\"",
        "{`rope_parameters`:{`full_attention`:{`rope_type`:`default`},`sliding_attention`:{`rope_type`:`yarn`}}} ; the same for all layers",
        "{`rope_scaling`:{`factor`:2}} ; rope_type is \"\"",
        "{`rope_scaling`:{`type`:`linear`,`factor`:2},`rope_parameters`:{`rope_theta`:1e6}} ; allowed: null beside rope_parameters",
        "{`rope_scaling`:4} ; rope_scaling is 4",
        "{`rope_scaling`:[]} ; rope_scaling is []",
        "{`rope_scaling`:{`rope_type`:3}} ; rope_type is 3",
        "{`rope_scaling`:{`type`:`linear`}} ; rope_scaling has no factor",
        "{`rope_scaling`:{`type`:`linear`,`factor`:0.5}} ; factor is 0.5; allowed: numbers from 1.0 on",
        "{`rope_scaling`:{`type`:`linear`,`factor`:1e400}} ; factor is",
        "{`rope_scaling`:{`type`:`linear`,`factor`:`8`}} ; factor is \"8\"",
        "{`rope_scaling`:{`rope_type`:`llama3`,`factor`:8,`low_freq_factor`:1,`high_freq_factor`:4}} ; has no original_max_position_embeddings",
        "{`rope_scaling`:{`rope_type`:`llama3`,`factor`:8,`low_freq_factor`:4,`high_freq_factor`:4,`original_max_position_embeddings`:8}} ; high_freq_factor is 4; allowed: numbers over low_freq_factor, 4.0",
        "{`rope_scaling`:{`rope_type`:`llama3`,`factor`:8,`low_freq_factor`:-1,`high_freq_factor`:4,`original_max_position_embeddings`:8}} ; low_freq_factor is -1",
        "{`rope_scaling`:{`rope_type`:`llama3`,`factor`:8,`low_freq_factor`:1,`high_freq_factor`:4,`original_max_position_embeddings`:0}} ; original_max_position_embeddings is 0",
        "{`rope_scaling`:{`type`:`yarn`}} ; rope_scaling has no factor",
        "{`rope_scaling`:{`type`:`yarn`,`factor`:4,`beta_fast`:1,`beta_slow`:1}} ; beta_fast is 1; allowed: numbers over beta_slow, 1.0",
        "{`rope_scaling`:{`type`:`yarn`,`factor`:4,`attention_factor`:0}} ; attention_factor is 0",
        "{`rope_scaling`:{`type`:`yarn`,`factor`:4,`truncate`:1}} ; truncate is 1",
        "{`rope_theta`:1,`rope_scaling`:{`type`:`yarn`,`factor`:4}} ; rope_theta is 1.0; allowed with yarn: numbers over 1",
        "{`partial_rotary_factor`:0.5} ; partial_rotary_factor is 0.5; allowed: 1",
        "{`rope_parameters`:{`rope_type`:`default`,`partial_rotary_factor`:0.5}} ; rope_parameters: partial_rotary_factor is 0.5",
    })
    void refusesWhatIsNotComputed(String config, String message) {
        assertThatThrownBy(() -> read(config)).isInstanceOf(CheckpointException.class).hasMessageContaining(message)
                .satisfies(e -> assertThat(e.getMessage()).startsWith("config.json").doesNotContain("\n"));
    }
}
