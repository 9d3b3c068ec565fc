package io.moebius.launch;

import java.util.List;
import java.util.Optional;

/** What the values of a flag may be. */
sealed interface FlagType {

    record Text(String label) implements FlagType {}

    /** true and false; the flag alone means true. */
    record Switch() implements FlagType {}

    record Whole(long least, long most) implements FlagType {}

    record Choice(List<String> values) implements FlagType {
        Choice(String... values) {
            this(List.of(values));
        }
    }

    default String label() {
        return switch (this) {
            case Text(String label) -> label;
            case Switch() -> "true|false";
            case Whole(long least, long most) -> "N";
            case Choice(List<String> values) -> String.join("|", values);
        };
    }

    /** What is wrong with a value, if anything. */
    default Optional<String> complaint(String value) {
        return switch (this) {
            case Text(String label) -> value.isBlank() ? Optional.of("allowed: " + label) : Optional.empty();
            case Switch() -> value.equals("true") || value.equals("false")
                    ? Optional.empty()
                    : Optional.of("allowed: true and false");
            case Choice(List<String> values) -> values.contains(value)
                    ? Optional.empty()
                    : Optional.of("allowed: " + String.join(", ", values));
            case Whole(long least, long most) -> {
                boolean fits;
                try {
                    long number = Long.parseLong(value);
                    fits = number >= least && number <= most;
                } catch (NumberFormatException e) {
                    fits = false;
                }
                yield fits ? Optional.empty() : Optional.of("allowed: whole numbers from " + least + " to " + most);
            }
        };
    }
}
