package io.moebius.backend.cuda;

import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.DType;
import io.moebius.backend.Matrix;
import io.moebius.backend.Scales;
import io.moebius.backend.Weight;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** A weight on the device, in each of the layouts that its uses need; the mapped file has it for those that come later. */
final class CudaMatrix implements Matrix {

    private final Weight weight;
    private final WeightUpload upload;
    private PackedWeights packed;
    private int index;
    private long table;
    private long floats;
    private RouterRows router;
    /** Of a norm: formats in which its results have been asked for; from then on all are written in one pass. */
    final Set<ActivationQuantization> asked = new HashSet<>();

    record RouterRows(long address, int type) {}

    CudaMatrix(Weight weight, WeightUpload upload) {
        this.weight = weight;
        this.upload = upload;
    }

    CudaMatrix(Weight weight, WeightUpload upload, PackedWeights packed, int index) {
        this(weight, upload);
        this.packed = packed;
        this.index = index;
    }

    @Override
    public int rows() {
        return weight.rows();
    }

    @Override
    public int columns() {
        return weight.columns();
    }

    Weight weight() {
        return weight;
    }

    String name() {
        return weight.name();
    }

    /** For products; itself and what was loaded together with it. */
    PackedWeights packed() {
        if (packed == null) {
            packed = upload.pack(List.of(weight));
        }
        return packed;
    }

    /** The packed rows, of this matrix alone, lie somewhere else now. */
    void move(long address) {
        packed = packed().at(address);
    }

    Scales scales() {
        return weight.scales();
    }

    /** Its place in {@link #packed}. */
    int index() {
        packed();
        return index;
    }

    /** bf16 [rows, columns], for looking rows up. */
    long table() {
        if (table == 0) {
            table = upload.halves(weight);
        }
        return table;
    }

    /** float32 [columns], of a vector. */
    long vector() {
        if (floats == 0) {
            floats = upload.floats(weight);
        }
        return floats;
    }

    /** [rows, columns] in bf16, or in float32 where bf16 would round. */
    RouterRows router() {
        if (router == null) {
            boolean exact = weight.dtype() == DType.BF16;
            router = exact ? new RouterRows(table(), CudaKernels.BF16) : new RouterRows(vector(), CudaKernels.F32);
        }
        return router;
    }

    /** How an FP8 weight wants its inputs. */
    ActivationQuantization input() {
        return weight.activation();
    }
}
