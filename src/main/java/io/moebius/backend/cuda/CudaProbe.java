package io.moebius.backend.cuda;

import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.annotation.Cast;
import org.bytedeco.javacpp.annotation.MemberGetter;
import org.bytedeco.javacpp.annotation.Name;
import org.bytedeco.javacpp.annotation.Platform;

/** The functions of src-native/include/moebius_cuda_probe.h, which need no driver. */
@Platform(include = "moebius_cuda_probe.h", link = {"moebius_cuda_host", "dl"})
final class CudaProbe {

    private CudaProbe() {}

    static native void moebius_probe_cuda(Machine machine);

    @Name("moebius_cuda_machine")
    static final class Machine extends Pointer {

        static {
            // Made before any function is called.
            Loader.load(CudaProbe.class);
        }

        Machine() {
            super((Pointer) null);
            allocate();
        }

        private native void allocate();

        @MemberGetter native int driver_found();
        @MemberGetter native int result();
        @MemberGetter native int driver_version();
        @MemberGetter native int devices();
        @MemberGetter native int compute_capability();
        @MemberGetter native @Cast("const char*") String device_name();
    }
}
