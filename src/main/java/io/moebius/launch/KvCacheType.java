package io.moebius.launch;

import io.moebius.backend.Backend;
import io.moebius.backend.KvStorage;
import io.moebius.checkpoint.Checkpoint;

/** What --kv-cache-dtype means for a checkpoint. */
final class KvCacheType {

    private KvCacheType() {}

    /** auto: e4m3 where the checkpoint asks for it, else the backend's own arithmetic. */
    static KvStorage of(String dtype, Checkpoint checkpoint) {
        return switch (dtype) {
            case "bf16" -> new KvStorage.BFloat16();
            case "fp8" -> checkpoint.fp8KvStorage();
            default -> checkpoint.asksForFp8KvCache() ? checkpoint.fp8KvStorage() : new KvStorage.Native();
        };
    }

    /** For people. */
    static String name(KvStorage storage, Backend backend) {
        return switch (storage) {
            case KvStorage.Native() -> backend.nativeKvType();
            case KvStorage.BFloat16() -> "bf16";
            case KvStorage.Fp8 fp8 -> "fp8";
        };
    }
}
