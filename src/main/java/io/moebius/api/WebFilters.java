package io.moebius.api;

import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.UUID;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** What every reply of the web port has in common, before any resource is asked. */
@Singleton
final class WebFilters {

    private static final int BEFORE_THE_SERVERS_OWN = 1000;

    private static final String OPEN_TO_ALL = "/health";

    /** Most prompts are shorter, so that who sent one with a wrong key reads why it was refused. */
    private static final long MOST_IGNORED_OF_STRANGERS = 1 << 20;

    private final BodyRoom room;
    private final ApiKeys keys;
    private final Duration patience;

    /** @param readTimeout after which the connection is closed without a word; who waits for a body gives up, and says so, before */
    WebFilters(BodyRoom room, ApiKeys keys, @ConfigProperty(name = "quarkus.http.read-timeout", defaultValue = "60s") Duration readTimeout) {
        this.room = room;
        this.keys = keys;
        this.patience = readTimeout.multipliedBy(3).dividedBy(4);
    }

    void register(@Observes Filters filters) {
        filters.register(this::filter, BEFORE_THE_SERVERS_OWN);
    }

    private void filter(RoutingContext context) {
        String requestId = context.request().getHeader("X-Request-Id");
        boolean sane = requestId != null && requestId.matches("[A-Za-z0-9._:/=+-]{1,128}");
        context.response().putHeader("x-request-id", sane ? requestId : UUID.randomUUID().toString());
        if (keys.wanted() && !context.normalizedPath().equals(OPEN_TO_ALL)) {
            try {
                ApiKeyUse.Permit permit = keys.admit(presentedKey(context));
                context.addEndHandler(ended -> permit.close());
            } catch (ApiException e) {
                refuse(context, e, MOST_IGNORED_OF_STRANGERS);
                return;
            }
        }
        try {
            String length = context.request().getHeader("Content-Length");
            RequestBody.expect(context, room, length != null && length.matches("[0-9]{1,18}") ? Long.parseLong(length) : 0, patience);
        } catch (ApiException e) {
            refuse(context, e, room.maxBodyBytes());
            return;
        }
        context.next();
    }

    private static String presentedKey(RoutingContext context) {
        String bearer = context.request().getHeader("Authorization");
        return bearer != null && bearer.regionMatches(true, 0, "Bearer ", 0, 7)
                ? bearer.substring(7).strip()
                : context.request().getHeader("X-Api-Key");
    }

    private static void refuse(RoutingContext context, ApiException e, long mostIgnored) {
        ErrorReply.headers(e.status()).forEach(context.response()::putHeader);
        context.response().setStatusCode(e.status()).putHeader("Content-Type", "application/json");
        new IgnoredBody(context.request(), ErrorReply.body(e).toString()).read(mostIgnored);
    }
}
