package io.moebius.policy;

import io.moebius.backend.Tunable;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

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
        return new Origin(backend.build(), backend.device(), backend.cores(), 0, 1, model, format);
    }

    /** Name of the file for this model and machine, the same for every build. */
    public String fileName() {
        return (model + "." + format + "." + device + ".x" + devices).toLowerCase(java.util.Locale.ROOT)
                        .replaceAll("[^a-z0-9.]+", "-") + ".json";
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

    /** Whether both are about the same model on the same kind of device, so that one may take the other's place. */
    public boolean replaces(Origin there) {
        return device.equals(there.device) && devices == there.devices && model.equals(there.model) && format.equals(there.format);
    }

    Map<String, Object> fields() {
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
