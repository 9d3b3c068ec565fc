package io.moebius.api;

import io.moebius.observe.Metrics;
import io.vertx.ext.web.RoutingContext;
import jakarta.inject.Singleton;

/** Runs a checked request on its own thread, from the engine's queue to the last byte. */
@Singleton
final class Answering {

    private final Metrics metrics;

    Answering(Metrics metrics) {
        this.metrics = metrics;
    }

    /** @throws ApiException only while nothing has been sent */
    void answer(GenerationPlan plan, AnswerWriter writer, RoutingContext context) {
        try (Generation generation = Generation.start(plan, metrics)) {
            Exchange exchange = new Exchange(context, generation::gone);
            try {
                if (plan.stream()) {
                    stream(plan, generation, writer, exchange);
                } else {
                    whole(generation, writer, exchange);
                }
                metrics.responded();
            } catch (ApiException e) {
                if (!exchange.streaming()) {
                    throw e;
                }
                exchange.fail(e);
            }
        } catch (ClientGoneException e) {
            metrics.cancelled();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw ApiException.unavailable("the server is stopping", "server_is_draining");
        }
    }

    private static void whole(Generation generation, AnswerWriter writer, Exchange exchange)
            throws InterruptedException, ClientGoneException {
        while (generation.isOpen()) {
            generation.next();
        }
        exchange.answer(writer.whole(generation));
    }

    private static void stream(GenerationPlan plan, Generation generation, AnswerWriter writer, Exchange exchange)
            throws InterruptedException, ClientGoneException {
        // The first token comes first, so that a failure before it still has its own HTTP status.
        Choice choice = generation.next();
        writer.begin(exchange, generation);
        writer.progress(exchange, choice);
        while (generation.isOpen()) {
            writer.progress(exchange, generation.next());
        }
        if (plan.usage()) {
            exchange.event(writer.usage(generation));
        }
        exchange.done();
    }
}
