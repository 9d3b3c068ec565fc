package io.moebius.backend.reference;

import io.moebius.backend.Activations;
import io.moebius.backend.Backend;
import java.lang.reflect.Proxy;
import java.util.Set;
import java.util.stream.Stream;

/** The reference with activations rounded to bf16 wherever one kernel hands them to the next: what any engine that stores bf16 must lose. */
public final class RoundedReference {

    private static final Set<String> WRITING = Set.of("rmsNorm", "project", "attend");
    private static final Set<String> IN_PLACE = Set.of("swiGlu", "ropeAndStore");

    private RoundedReference() {}

    public static Backend of(Activations activations) {
        Backend exact = new ReferenceBackend(activations);
        return (Backend) Proxy.newProxyInstance(Backend.class.getClassLoader(), new Class<?>[] {Backend.class}, (self, method, arguments) -> {
            Object result = method.invoke(exact, arguments);
            if (WRITING.contains(method.getName())) {
                round((DoubleTensor) arguments[arguments.length - 1]);
            } else if (IN_PLACE.contains(method.getName())) {
                Stream.of(arguments).filter(DoubleTensor.class::isInstance).forEach(x -> round((DoubleTensor) x));
            }
            return result;
        });
    }

    private static void round(DoubleTensor x) {
        Attention.roundBFloat16(x.values());
    }
}
