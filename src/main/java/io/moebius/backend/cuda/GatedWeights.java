package io.moebius.backend.cuda;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Gates and ups as one kernel multiplies them: in their common format, or in bf16 where theirs differ. */
final class GatedWeights {

    record Pair(PackedWeights gate, PackedWeights up) {}

    private final WeightUpload upload;
    private final Map<List<CudaMatrix>, PackedWeights> widened = new HashMap<>();

    GatedWeights(WeightUpload upload) {
        this.upload = upload;
    }

    /** Of one network, or of all experts of a layer, which were loaded together. */
    Pair of(List<CudaMatrix> gates, List<CudaMatrix> ups) {
        PackedWeights gate = packed(gates);
        PackedWeights up = packed(ups);
        return gate.alike(up) ? new Pair(gate, up) : new Pair(halves(gates), halves(ups));
    }

    private static PackedWeights packed(List<CudaMatrix> matrices) {
        CudaMatrix first = matrices.getFirst();
        return first.packed().part(first.index(), matrices.size());
    }

    private PackedWeights halves(List<CudaMatrix> matrices) {
        return widened.computeIfAbsent(matrices, all -> upload.pack(all.stream().map(CudaMatrix::weight).toList(), CudaKernels.BF16));
    }
}
