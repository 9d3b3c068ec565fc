package io.moebius.api;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import org.eclipse.microprofile.config.inject.ConfigProperty;

@Path("/version")
public final class VersionResource {

    private final Readiness readiness;
    private final String version;

    VersionResource(Readiness readiness, @ConfigProperty(name = "quarkus.application.version") String version) {
        this.readiness = readiness;
        this.version = version;
    }

    @GET
    @Produces(MediaType.APPLICATION_JSON)
    public String version() {
        ObjectNode reply = JsonNodeFactory.instance.objectNode().put("name", "moebius").put("version", version);
        reply.put("model", readiness.state() instanceof Readiness.Serving(ServedModel model) ? model.id() : null);
        return reply.toString();
    }
}
