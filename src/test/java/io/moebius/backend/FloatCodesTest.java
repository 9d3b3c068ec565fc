package io.moebius.backend;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FloatCodesTest {

    @Test
    void e4m3CodesAreThoseOfTheStoredVectors() throws IOException {
        JsonNode codec = new ObjectMapper().readTree(Path.of("src/test/resources/fixtures/e4m3_codec.json").toFile());
        codec.get("encode").forEach(pair -> assertThat(FloatCodes.e4m3(pair.get(0).floatValue()) & 255)
                .as("code of %s", pair.get(0))
                .isEqualTo(pair.get(1).intValue()));
        for (int code = 0; code < 256; code++) {
            JsonNode value = codec.get("decode").get(code);
            assertThat(FloatCodes.fromE4m3((byte) code)).isEqualTo(Float.valueOf(value.isNull() ? Float.NaN : value.floatValue()));
        }
    }

    /** Numbers around each code and each middle between two, of both signs; the even one of two that are equally near. */
    @Test
    void e4m3IsTheNearestWithTiesToEven() {
        for (int code = 0; code < 127; code++) {
            float value = FloatCodes.fromE4m3((byte) code);
            float middle = code == 126 ? 480 : (value + FloatCodes.fromE4m3((byte) (code + 1))) / 2;
            float above = Math.nextUp(middle);
            int next = Math.min(code + 1, 126);
            int[] expected = {code, code, code % 2 == 0 ? code : next, next, code};
            float[] numbers = {value, Math.nextUp(value), middle, above, Math.nextDown(middle)};
            for (int i = 0; i < numbers.length; i++) {
                assertThat(FloatCodes.e4m3(numbers[i])).as("code of %s", numbers[i]).isEqualTo((byte) expected[i]);
                assertThat(FloatCodes.e4m3(-numbers[i])).as("code of -%s", numbers[i]).isEqualTo((byte) (expected[i] | 0x80));
            }
        }
        assertThat(FloatCodes.e4m3(Float.POSITIVE_INFINITY)).isEqualTo((byte) 0x7e);
        assertThat(FloatCodes.e4m3(Float.NEGATIVE_INFINITY)).isEqualTo((byte) 0xfe);
        assertThat(FloatCodes.e4m3(Float.NaN)).isEqualTo((byte) 0x7f);
        assertThat(FloatCodes.e4m3(Float.intBitsToFloat(0xffc00000))).isEqualTo((byte) 0xff);
    }

    @ParameterizedTest
    @CsvSource({"1, 3f80", "-0.0, 8000", "1.00390625, 3f80", "1.01171875, 3f82", "-1.01171875, bf82", "3.4e38, 7f80", "NaN, 7fc0"})
    void bFloat16IsTheNearestWithTiesToEven(float value, String code) {
        assertThat(FloatCodes.bFloat16(value)).isEqualTo((short) Integer.parseInt(code, 16));
    }
}
