package io.moebius.license;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SecretSourceTest {

    @TempDir
    private Path folder;

    private String file(String name, String text) throws Exception {
        return Files.writeString(folder.resolve(name), text).toString();
    }

    private static LicenseException refusal(Map<String, String> environment) {
        return catchThrowableOfType(LicenseException.class, () -> SecretSource.read(environment));
    }

    @Test
    void readsVariablesBeforeFilesAndFriendlisNamesBeforeOurs() throws Exception {
        Map<String, String> environment = new HashMap<>(Map.of(
                "FRIENDLI_CONTAINER_SECRET", "first", "MOEBIUS_CONTAINER_SECRET", "second",
                "FRIENDLI_CONTAINER_SECRET_FILE", file("third", "third"), "MOEBIUS_CONTAINER_SECRET_FILE", file("fourth", "fourth")));
        List<String> found = new ArrayList<>();
        for (String name : List.of("FRIENDLI_CONTAINER_SECRET", "MOEBIUS_CONTAINER_SECRET", "FRIENDLI_CONTAINER_SECRET_FILE")) {
            found.add(SecretSource.read(environment));
            environment.put(name, " ");
        }
        found.add(SecretSource.read(environment));
        assertThat(found).containsExactly("first", "second", "third", "fourth");
    }

    @ParameterizedTest
    @ValueSource(strings = {"%s", " %s\n", "\"%s\"", "'%s' ", "\t\" %s \"\r\n", "\ufeff%s\r\n", "\u00a0%s", "\"%s"})
    void forgivesWhiteSpaceAndQuotes(String form) throws Exception {
        String given = form.formatted("moebius1.a.b.c");
        assertThat(SecretSource.read(Map.of("FRIENDLI_CONTAINER_SECRET", given))).isEqualTo("moebius1.a.b.c");
        assertThat(SecretSource.read(Map.of("MOEBIUS_CONTAINER_SECRET_FILE", "\"" + file("secret", given) + "\"")))
                .isEqualTo("moebius1.a.b.c");
    }

    @Test
    void tellsWhatIsMissingAndWhatCannotBeRead() throws Exception {
        assertThat(refusal(Map.of())).hasMessageContaining("no container secret: set FRIENDLI_CONTAINER_SECRET");
        assertThat(refusal(Map.of("MOEBIUS_CONTAINER_SECRET", "\"\" "))).hasMessageContaining("no container secret");
        assertThat(refusal(Map.of("FRIENDLI_CONTAINER_SECRET_FILE", file("empty", "\n"))))
                .hasMessageContaining("FRIENDLI_CONTAINER_SECRET_FILE names an empty file");
        assertThat(refusal(Map.of("MOEBIUS_CONTAINER_SECRET_FILE", folder.toString())))
                .hasMessageContaining("MOEBIUS_CONTAINER_SECRET_FILE does not name a readable file");
    }

    @Test
    void readsNoMoreOfAFileThanASecretMayHave() throws Exception {
        assertThat(SecretSource.read(Map.of("FRIENDLI_CONTAINER_SECRET_FILE", "/dev/zero"))).hasSizeLessThanOrEqualTo(8192);
    }

    @Test
    void hidesASecretThatStandsWhereItDoesNotBelong() {
        assertThat(SecretSource.hide("unexpected word \"moebius1.eyJh.Yg_-.c\"; flags begin with --"))
                .doesNotContain("eyJh", "Yg", "moebius1").contains("unexpected word \"", "\"; flags begin with --");
    }
}
