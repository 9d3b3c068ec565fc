package io.moebius.checkpoint;

import java.util.Set;

/** FriendliAI's layouts, told by "use_fp8_e4m3": true: e4m3 bytes under the type I8, in_scale beside weight_scale. */
final class Friendli {

    private static final Set<String> STORED = Set.of("I8", "F8_E4M3");

    private Friendli() {}

    /** Of 2024, without quantization_config: static, the router quantised too. */
    static Fp8 first() {
        return new Fp8("FriendliAI FP8", STORED, 0, 0, null, false, LayerPatterns.NONE);
    }

    /** Of the Model Optimizer (FMO), with a quantization_config in the manner of AutoFP8; its tensors are taken by any known name. */
    static Fp8 second(Fp8 scheme) {
        return new Fp8("FriendliAI FMO FP8", STORED, scheme.blockRows(), scheme.blockColumns(), scheme.inputs(),
                scheme.kvCache(), scheme.ignored());
    }
}
