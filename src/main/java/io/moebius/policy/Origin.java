package io.moebius.policy;

import io.moebius.backend.Tunable;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32;

/**
 * What a policy was measured on; it serves nothing else.
 *
 * @param build   id of the kernels
 * @param device  model of the CPU or GPU
 * @param cores   processors or streaming multiprocessors
 * @param driver  major version of the driver; 0 for a CPU
 * @param devices how many share the model
 * @param model   architecture and sizes
 * @param format  of the weights
 */
public record Origin(String build, String device, int cores, int driver, int devices, String model, String format) {

    public static Origin of(Tunable backend, String model, String format) {
        return new Origin(backend.build(), backend.device(), backend.cores(), backend.driver(), 1, model, format);
    }

    /** Name of the file for this model and machine, the same for every build: architecture, device, and a digest of all of it. */
    public String fileName() {
        String names = (model.split(" ", 2)[0].replace("ForCausalLM", "") + "-" + device + "-x" + devices)
                .toLowerCase(Locale.ROOT)
                .replaceAll("[^a-z0-9]+", "-");
        CRC32 digest = new CRC32();
        digest.update((model + "\n" + format + "\n" + device + "\n" + devices).getBytes(StandardCharsets.UTF_8));
        return "%.100s-%08x.json".formatted(names, digest.getValue());
    }

    /** Where {@code there} differs, as "FIELD is X here, Y there". */
    public Optional<String> difference(Origin there) {
        Map<String, Object> mine = fields();
        Map<String, Object> theirs = there.fields();
        return mine.keySet().stream()
                .filter(field -> !mine.get(field).equals(theirs.get(field)))
                .map(field -> "%s is %s here, %s there".formatted(field, mine.get(field), theirs.get(field)))
                .findFirst();
    }

    /** Whether both are about the same model on the same kind of device, with as many cores, so that one may take the other's place. */
    public boolean replaces(Origin there) {
        return device.equals(there.device) && cores == there.cores && devices == there.devices && model.equals(there.model) && format.equals(there.format);
    }

    /** By name, in the file's order. */
    public Map<String, Object> fields() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("build", build);
        fields.put("device", device);
        fields.put("cores", cores);
        fields.put("driver", driver);
        fields.put("devices", devices);
        fields.put("model", model);
        fields.put("format", format);
        return fields;
    }
}
