package io.moebius.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.backend.KvCache;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The host's numbers are those of the kernels' headers. */
class KernelLayoutTest {

    private static final String INTERFACE = "include/moebius_cuda.h";
    private static final String LAYOUT = "cuda/layout.h";
    private static final String ATTENTION = "cuda/attention.h";

    static Stream<Arguments> numbers() {
        return Stream.of(
                Arguments.of(LAYOUT, "kStrip", KernelLayout.STRIP),
                Arguments.of(LAYOUT, "kUnitRowBytes", KernelLayout.UNIT_ROW_BYTES),
                Arguments.of(LAYOUT, "kMaxExperts", KernelLayout.MOST_EXPERTS),
                Arguments.of(LAYOUT, "kMaxHeadDim", KernelLayout.MOST_HEAD_DIM),
                Arguments.of(LAYOUT, "kExpertsAtOnce", KernelLayout.EXPERTS_AT_ONCE),
                Arguments.of(LAYOUT, "kBlockTokens", KvCache.BLOCK_TOKENS),
                Arguments.of(ATTENTION, "kSplit", KernelLayout.SPLIT),
                Arguments.of(ATTENTION, "kQueryRows", KernelLayout.QUERY_ROWS),
                Arguments.of(INTERFACE, "MOEBIUS_ANGLE_PAIRS", CudaKernels.Angles.MOST_PAIRS),
                Arguments.of(INTERFACE, "MOEBIUS_HOPPER_ONLY", CudaKernels.HOPPER_ONLY),
                Arguments.of(INTERFACE, "MOEBIUS_CUDA_F32", CudaKernels.F32),
                Arguments.of(INTERFACE, "MOEBIUS_CUDA_BF16", CudaKernels.BF16),
                Arguments.of(INTERFACE, "MOEBIUS_CUDA_E4M3", CudaKernels.E4M3),
                Arguments.of(INTERFACE, "MOEBIUS_CUDA_F16", CudaKernels.F16),
                Arguments.of(INTERFACE, "MOEBIUS_CUDA_INT4", CudaKernels.INT4),
                Arguments.of(INTERFACE, "MOEBIUS_STORE_F32", CudaKernels.STORE_F32),
                Arguments.of(INTERFACE, "MOEBIUS_STORE_BF16", CudaKernels.STORE_BF16),
                Arguments.of(INTERFACE, "MOEBIUS_ADD_F32", CudaKernels.ADD_F32),
                Arguments.of(INTERFACE, "MOEBIUS_SWIGLU_BF16", CudaKernels.SWIGLU_BF16),
                Arguments.of(INTERFACE, "MOEBIUS_SWIGLU_E4M3", CudaKernels.SWIGLU_E4M3));
    }

    @ParameterizedTest(name = "{1}")
    @MethodSource("numbers")
    void agreesWithTheHeader(String header, String name, int number) throws IOException {
        assertThat(number(header, name)).isEqualTo(number);
    }

    @ParameterizedTest
    @EnumSource(KernelTable.Family.class)
    void countsTheFamiliesAsTheHeaderDoes(KernelTable.Family family) throws IOException {
        assertThat(number(INTERFACE, "MOEBIUS_" + family)).isEqualTo(family.ordinal());
    }

    /** That a constant, an enumerator or a macro has; it must stand there once. */
    private static int number(String header, String name) throws IOException {
        List<MatchResult> found = Pattern.compile("\\b%s (?:= )?(\\d+)\\b".formatted(name))
                .matcher(Files.readString(Path.of("src-native", header)))
                .results()
                .toList();
        assertThat(found).as("%s in %s", name, header).hasSize(1);
        return Integer.parseInt(found.getFirst().group(1));
    }
}
