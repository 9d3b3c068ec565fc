package io.moebius.api;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

/** 200 from the first generated token until the drain, 503 with the phase else. */
@Path("/health")
public final class HealthResource {

    private final Readiness readiness;

    HealthResource(Readiness readiness) {
        this.readiness = readiness;
    }

    @GET
    public Response health() {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        boolean serving =
                switch (readiness.state()) {
                    case Readiness.Serving(ServedModel model) -> {
                        boolean alive = model.engine().alive();
                        boolean expired = readiness.expired();
                        body.put("status", !alive ? "failed" : expired ? "license expired" : "ready").put("model", model.id());
                        yield alive && !expired;
                    }
                    case Readiness.Starting(String phase, double progress) -> {
                        body.put("status", "starting").put("phase", phase).put("progress", progress);
                        yield false;
                    }
                    case Readiness.Draining() -> {
                        body.put("status", "draining");
                        yield false;
                    }
                    case Readiness.Failed(String error) -> {
                        body.put("status", "failed").put("error", error);
                        yield false;
                    }
                };
        int status = serving ? 200 : 503;
        Response.ResponseBuilder reply = Response.status(status)
                .type(MediaType.APPLICATION_JSON_TYPE)
                .entity(body.toString());
        ErrorReply.headers(status).forEach(reply::header);
        return reply.build();
    }
}
