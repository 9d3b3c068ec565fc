package io.moebius.backend.cuda;

import io.moebius.backend.Dispatch;
import io.moebius.backend.KernelCall;
import io.moebius.backend.Site;
import io.moebius.backend.Variant;
import java.util.function.Consumer;

/** Hands each tunable call to whoever chooses its variant. */
final class Calls {

    private final Driver driver;
    private final long stream;
    private Dispatch dispatch;

    Calls(Driver driver, long stream, Dispatch dispatch) {
        this.driver = driver;
        this.stream = stream;
        this.dispatch = dispatch;
    }

    void dispatch(Dispatch next) {
        dispatch = next;
    }

    /** Whether calls are run one by one to be timed, and may not be recorded. */
    boolean timed() {
        return dispatch.timesCalls();
    }

    void run(Site site, int tokens, double bytes, double flops, Consumer<Variant> kernel) {
        waitIfTimed();
        dispatch.run(new Call(site, tokens, bytes, flops, variant -> {
            kernel.accept(variant);
            waitIfTimed();
        }));
    }

    private void waitIfTimed() {
        if (timed()) {
            driver.synchronize(stream);
        }
    }

    private record Call(Site site, int tokens, double bytes, double flops, Consumer<Variant> kernel) implements KernelCall {
        @Override
        public void run(Variant variant) {
            kernel.accept(variant);
        }
    }
}
