package io.moebius.launch;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.moebius.api.ApiKeys;
import io.moebius.launch.FlagType.Text;
import io.moebius.launch.FlagType.Whole;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;

/** {@code keys add}: a key for the web port, of which the file keeps the digest alone. */
final class KeyTools {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int KEY_BYTES = 32;
    private static final Flag FILE = Flag.of("file", new Text("a file"), null, "The file of --api-keys-file; a new one is begun.");
    private static final Flag NAME = Flag.of("name", new Text("a name"), null, "Whose key it is, in metrics too; letters, digits, dots, dashes and underscores.");
    private static final Flag RATE = Flag.of("requests-per-minute", new Whole(1, 1_000_000), null, "Most requests a minute.");
    private static final Flag CONCURRENT = Flag.of("concurrent", new Whole(1, 1_000_000), null, "Most requests at once.");

    static final Subcommand ADD = new Subcommand(
            "keys add", "", List.of(FILE, NAME, RATE, CONCURRENT), "Adds a key for the web port to a file and prints it, this once.", KeyTools::add);

    private KeyTools() {}

    private static int add(Subcommand.Options options, Subcommand.Shell shell) {
        Path file = Path.of(options.required(FILE));
        String name = options.required(NAME);
        if (!ApiKeys.isName(name)) {
            throw usage("--name is \"%s\"; allowed: %s".formatted(name, ApiKeys.NAMES));
        }
        byte[] random = new byte[KEY_BYTES];
        new SecureRandom().nextBytes(random);
        String key = "mk-" + Base64.getUrlEncoder().withoutPadding().encodeToString(random);
        try {
            JsonNode root = Files.exists(file) ? JSON.readTree(Files.readAllBytes(file)) : JSON.createObjectNode().set("keys", JSON.createArrayNode());
            if (!(root.get("keys") instanceof ArrayNode keys)) {
                throw usage("%s is no file of API keys; give another --file".formatted(file));
            }
            for (JsonNode other : keys) {
                if (other.path("name").asText().equals(name)) {
                    throw usage("%s has a key named %s; take it out first, or give another --name".formatted(file, name));
                }
            }
            ObjectNode entry = keys.addObject().put("name", name).put("sha256", HexFormat.of().formatHex(ApiKeys.sha256(key)));
            options.text(RATE).ifPresent(rate -> entry.put("requests_per_minute", Integer.parseInt(rate)));
            options.text(CONCURRENT).ifPresent(most -> entry.put("concurrent", Integer.parseInt(most)));
            Path next = Files.createTempFile(file.toAbsolutePath().getParent(), ".keys", "");
            Files.writeString(next, root.toPrettyString() + "\n");
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (JsonProcessingException e) {
            throw usage("%s is not valid JSON; give another --file".formatted(file));
        } catch (IOException e) {
            throw usage("%s cannot be read and written as a file of API keys (%s)".formatted(file, ApiKeys.reason(e)));
        }
        shell.out().println(key);
        return ExitCode.OK.status();
    }

    private static StartException usage(String message) {
        return new StartException(ExitCode.USAGE, message);
    }
}
