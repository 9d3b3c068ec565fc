package io.moebius.image;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.dockerjava.api.model.AccessMode;
import com.github.dockerjava.api.model.Bind;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.Volume;
import io.moebius.license.TrialSecret;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.output.OutputFrame.OutputType;

/** What the image writes, and where: help, logs, and each failure as one line with its code. */
class ImageOutputIT {

    @BeforeAll
    static void theImageCanRun() {
        Image.assumeItCanRun();
    }

    @Test
    void helpGoesToStandardOutput() {
        Image.Ended ended = Image.run(create -> {}, "--help");
        assertThat(ended.code()).isZero();
        assertThat(ended.output()).contains("--hf-model-name");
    }

    @Test
    void logsGoToStandardError() throws IOException {
        try (GenericContainer<?> container = Image.container()) {
            container.start();
            assertThat(container.getLogs(OutputType.STDOUT)).isEmpty();
            assertThat(container.getLogs(OutputType.STDERR)).isNotEmpty();
        }
    }

    @Test
    void everyLineIsJsonWhenAskedFor() {
        try (GenericContainer<?> container = Image.container("--log-format", "json")) {
            container.start();
            assertThat(container.getLogs(OutputType.STDERR).lines())
                    .isNotEmpty()
                    .allSatisfy(line -> assertThat(line).startsWith("{\"timestamp\":").endsWith("}"));
        }
    }

    @Test
    void theSecretIsNeverShown() throws IOException {
        try (GenericContainer<?> container = Image.container().withEnv("FRIENDLI_CONTAINER_SECRET", "s3cret-value")) {
            container.start();
            assertThat(container.getLogs()).doesNotContain("s3cret-value");
            assertThat(Image.get(container, 8281, "/metrics").body()).doesNotContain("s3cret-value");
        }
    }

    @Test
    void anUnknownFlagIsOneLineAndExitsWithTwo() {
        Image.Ended ended = Image.run(create -> {}, "--web-server-prot", "1");
        assertThat(ended.code()).isEqualTo(2);
        assertThat(ended.output()).isEmpty();
        assertThat(ended.errors().lines()).hasSize(1).first().asString().contains("--web-server-port");
    }

    @Test
    void aModelThatIsNotInTheCacheIsOneLineWithItsCode(@TempDir Path cache) throws IOException {
        TrialSecret secret = TrialSecret.make();
        CachedModel.license(cache, secret);
        Image.Ended ended = Image.run(
                create -> create.withEnv(
                                "FRIENDLI_CONTAINER_SECRET=" + secret.text(), "MOEBIUS_LICENSE_KEYS=" + CachedModel.LICENSE_KEY)
                        .getHostConfig()
                        .withBinds(new Bind(cache.toString(), new Volume("/root/.cache/huggingface"), AccessMode.ro)),
                "--hf-model-name", "team/absent");
        assertThat(ended.code()).isBetween(3, 99);
        assertThat(ended.errors().lines().filter(line -> line.startsWith("moebius: "))).hasSize(1)
                .first().asString().contains("team/absent");
    }

    @Test
    void anUnusableSystemLibraryIsOneLineWithItsCode(@TempDir Path folder) throws IOException {
        Path broken = Files.createFile(folder.resolve("libstdc++.so.6"));
        Image.Ended ended = Image.run(create -> create.getHostConfig()
                .withBinds(new Bind(broken.toString(), new Volume("/lib/x86_64-linux-gnu/libstdc++.so.6"), AccessMode.ro)));
        assertThat(ended.code()).isBetween(3, 99);
        assertThat(ended.errors().lines().filter(line -> line.startsWith("moebius: "))).hasSize(1)
                .first().asString().contains("load library");
    }

    @Test
    void aPortThatMayNotBeOpenedIsOneLineWithItsCode() {
        Image.Ended ended = Image.run(
                create -> create.withUser("12345").getHostConfig().withCapDrop(Capability.ALL).withSysctls(
                        Map.of("net.ipv4.ip_unprivileged_port_start", "1024")),
                "--web-server-port", "80");
        assertThat(ended.code()).isEqualTo(3);
        assertThat(ended.errors().lines().filter(line -> line.startsWith("moebius: "))).hasSize(1);
    }
}
