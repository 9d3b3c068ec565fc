package io.moebius.api;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;

@Path("/v1/models")
@Produces(MediaType.APPLICATION_JSON)
public final class ModelsResource {

    private final Readiness readiness;

    ModelsResource(Readiness readiness) {
        this.readiness = readiness;
    }

    @GET
    public String list() {
        ServedModel model = readiness.model();
        ObjectNode list = JsonNodeFactory.instance.objectNode().put("object", "list");
        list.putArray("data").add(describe(model, model.id()));
        return list.toString();
    }

    /** Ids of the Hub have a slash in them. */
    @GET
    @Path("{id: .+}")
    public String one(@PathParam("id") String id) {
        ServedModel model = readiness.model();
        if (!model.answersTo(id)) {
            throw Models.unknown(model, id);
        }
        return describe(model, id).toString();
    }

    private static ObjectNode describe(ServedModel model, String id) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("id", id)
                .put("object", "model")
                .put("created", model.created().getEpochSecond())
                .put("owned_by", "moebius")
                .put("max_model_len", model.maxSequenceLength());
    }
}
