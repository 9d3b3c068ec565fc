package io.moebius.launch;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;

/** What the values of a flag may be. */
sealed interface FlagType {

    record Text(String label) implements FlagType {}

    /** A path. */
    record ReadableFile() implements FlagType {}

    /** true and false; the flag alone means true. */
    record Switch() implements FlagType {}

    record Whole(long least, long most) implements FlagType {}

    record Choice(List<String> values) implements FlagType {
        Choice(String... values) {
            this(List.of(values));
        }
    }

    /** What stands for a value in --help. */
    default String placeholder() {
        return switch (this) {
            case Text(String label) -> "<" + label + ">";
            case ReadableFile() -> "<a file>";
            case Switch() -> "true|false";
            case Whole(long least, long most) -> "N";
            case Choice(List<String> values) -> String.join("|", values);
        };
    }

    /** All values, for people. */
    default String allowed() {
        return switch (this) {
            case Text(String label) -> label;
            case ReadableFile() -> "a file that can be read";
            case Switch() -> "true and false";
            case Whole(long least, long most) -> "whole numbers from " + least + " to " + most;
            case Choice(List<String> values) -> String.join(", ", values);
        };
    }

    default boolean allows(String value) {
        return switch (this) {
            case Text(String label) -> !value.isBlank();
            case ReadableFile() -> isReadableFile(value);
            case Switch() -> value.equals("true") || value.equals("false");
            case Whole(long least, long most) -> isWhole(value, least, most);
            case Choice(List<String> values) -> values.contains(value);
        };
    }

    private static boolean isReadableFile(String value) {
        try {
            return Files.isReadable(Path.of(value)) && !Files.isDirectory(Path.of(value));
        } catch (InvalidPathException e) {
            return false;
        }
    }

    private static boolean isWhole(String value, long least, long most) {
        try {
            long number = Long.parseLong(value);
            return number >= least && number <= most;
        } catch (NumberFormatException e) {
            return false;
        }
    }
}
