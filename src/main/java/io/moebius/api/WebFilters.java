package io.moebius.api;

import io.quarkus.runtime.configuration.MemorySize;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.util.UUID;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** What every reply of the web port has in common, before any resource is asked. */
@Singleton
final class WebFilters {

    private static final int BEFORE_THE_SERVERS_OWN = 1000;

    private final long maxBodyBytes;

    WebFilters(@ConfigProperty(name = "quarkus.http.limits.max-body-size", defaultValue = "10240K") MemorySize maxBodySize) {
        this.maxBodyBytes = maxBodySize.asLongValue();
    }

    void register(@Observes Filters filters) {
        filters.register(this::filter, BEFORE_THE_SERVERS_OWN);
    }

    private void filter(RoutingContext context) {
        String requestId = context.request().getHeader("X-Request-Id");
        boolean sane = requestId != null && requestId.matches("[A-Za-z0-9._:/=+-]{1,128}");
        context.response().putHeader("x-request-id", sane ? requestId : UUID.randomUUID().toString());
        String length = context.request().getHeader("Content-Length");
        if (length != null && length.matches("[0-9]{1,18}") && Long.parseLong(length) > maxBodyBytes) {
            refuse(context, length);
        } else {
            context.next();
        }
    }

    /** The body is read to its end and thrown away, for most clients read no answer before they have sent everything. */
    private void refuse(RoutingContext context, String length) {
        ApiException tooLarge = new ApiException(
                413,
                "invalid_request_error",
                "the body has %s bytes; at most %d are allowed".formatted(length, maxBodyBytes),
                null,
                "request_too_large");
        context.request()
                .handler(discarded -> {})
                .endHandler(end -> context.response()
                        .setStatusCode(413)
                        .putHeader("Content-Type", "application/json")
                        .end(ErrorReply.body(tooLarge).toString()))
                .resume();
    }
}
