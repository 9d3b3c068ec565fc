package io.moebius.hub;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.moebius.hub.HubException.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What a revision of a repository holds, as far as it is needed to serve it: safetensors and small text files, never pickles.
 *
 * @param commit that the revision stands for
 */
record RemoteRevision(String commit, List<RemoteFile> files) {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int MAX_LISTING_BYTES = 16 << 20;
    private static final int MAX_FILES = 10_000;
    private static final long MAX_SMALL_FILE = 256L << 20;
    private static final long MAX_FILE = 1L << 44;
    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");
    private static final Pattern ETAG = Pattern.compile("[0-9a-f]{40}|[0-9a-f]{64}");
    /** Names of files with weights, without folders. */
    static final Pattern WEIGHTS = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,200}\\.safetensors");
    private static final Set<String> SMALL = Set.of(
            "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
            "added_tokens.json", "chat_template.jinja", "chat_template.json", "hf_quant_config.json", "model.safetensors.index.json");

    boolean has(String name) {
        return files.stream().anyMatch(file -> file.name().equals(name));
    }

    /** @throws IOException if the Hub cannot be reached, or answers with a status that another try may mend */
    static RemoteRevision of(HubTransport transport, Hub hub, String repository, String revision) throws IOException {
        String path = "/api/models/" + repository + "/revision/" + URLEncoder.encode(revision, StandardCharsets.UTF_8) + "?blobs=true";
        try (HubTransport.Answer answer = transport.get(path, Map.of())) {
            if (answer.busy()) {
                throw new BusyException(answer.status(), answer.retryAfter());
            }
            if (answer.status() != 200) {
                throw refusal(answer, hub, repository, revision);
            }
            try (InputStream body = answer.body()) {
                byte[] listing = body.readNBytes(MAX_LISTING_BYTES + 1);
                if (listing.length > MAX_LISTING_BYTES) {
                    throw new HubException(Kind.UNREACHABLE, "%s lists more than %d bytes for %s".formatted(hub, MAX_LISTING_BYTES, repository));
                }
                return read(JSON.readTree(listing), hub, repository);
            } catch (JacksonException e) {
                throw new HubException(Kind.UNREACHABLE, "%s does not answer as a Hugging Face Hub does; check HF_ENDPOINT".formatted(hub));
            }
        }
    }

    /** What the Hub's refusal means to a person. */
    static HubException refusal(HubTransport.Answer answer, Hub hub, String repository, String revision) throws IOException {
        String code = answer.header("X-Error-Code");
        String page = hub.endpoint() + "/" + repository;
        if (code.equals("GatedRepo")) {
            return new HubException(Kind.REFUSED, "%s is gated: accept its terms at %s and set HF_TOKEN to a token of that account"
                    .formatted(repository, page));
        }
        if (code.equals("RevisionNotFound")) {
            return new HubException("%s has no revision %s; %s/tree/main shows what there is".formatted(repository, revision, page));
        }
        if (code.equals("RepoNotFound") && (hub.token().isPresent() || answer.status() == 404)) {
            return new HubException("%s has no model %s, or the token may not see it; check the name".formatted(hub, repository));
        }
        return switch (answer.status()) {
            case 401 -> new HubException(Kind.REFUSED, hub.token().isPresent()
                    ? "%s does not take the token; check HF_TOKEN".formatted(hub)
                    : "%s has no public model %s; check the name, or set HF_TOKEN if it is private".formatted(hub, repository));
            case 403 -> new HubException(Kind.REFUSED, "%s forbids %s; check the rights of HF_TOKEN".formatted(hub, repository));
            case 404 -> new HubException("%s has no model %s with revision %s; check both".formatted(hub, repository, revision));
            default -> throw new IOException("HTTP status " + answer.status());
        };
    }

    private static RemoteRevision read(JsonNode root, Hub hub, String repository) {
        String commit = root.path("sha").asText();
        JsonNode siblings = root.path("siblings");
        if (!COMMIT.matcher(commit).matches() || !siblings.isArray() || siblings.size() > MAX_FILES) {
            throw new HubException(Kind.UNREACHABLE, "%s does not answer as a Hugging Face Hub does; check HF_ENDPOINT".formatted(hub));
        }
        List<RemoteFile> files = new ArrayList<>();
        for (JsonNode sibling : siblings) {
            String name = sibling.path("rfilename").asText();
            boolean weights = WEIGHTS.matcher(name).matches() && !name.startsWith("consolidated");
            if (!weights && !SMALL.contains(name)) {
                continue;
            }
            String etag = sibling.path("lfs").path("sha256").asText(sibling.path("blobId").asText());
            JsonNode size = sibling.path("size");
            if (!ETAG.matcher(etag).matches() || !size.isIntegralNumber() || size.longValue() < 0
                    || size.longValue() > (weights ? MAX_FILE : MAX_SMALL_FILE)) {
                throw new HubException(Kind.UNREACHABLE, "%s lists %s of %s with size %s and digest \"%s\", which no file has"
                        .formatted(hub, name, repository, size, Hub.oneLine(etag)));
            }
            files.add(new RemoteFile(name, size.longValue(), etag));
        }
        if (files.stream().noneMatch(file -> file.name().endsWith(".safetensors"))) {
            throw new HubException("%s has no safetensors files; this program reads nothing else, look for a converted repository"
                    .formatted(repository));
        }
        return new RemoteRevision(commit, List.copyOf(files));
    }
}
