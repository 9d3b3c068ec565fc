package io.moebius.launch;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.backend.DeviceLostException;
import io.moebius.checkpoint.CheckpointException;
import io.moebius.hub.HubException;
import io.moebius.policy.PolicyException;
import io.moebius.text.TextException;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class ExitCodeTest {

    @Test
    void everyFailureOfTheHubHasACodeOfItsOwn() {
        assertThat(Arrays.stream(HubException.Kind.values())
                        .collect(Collectors.toMap(kind -> kind, kind -> ExitCode.of(new HubException(kind, "x")).status())))
                .isEqualTo(Map.of(
                        HubException.Kind.NOT_FOUND, 4, HubException.Kind.REFUSED, 12, HubException.Kind.UNREACHABLE, 13,
                        HubException.Kind.NO_ROOM, 14, HubException.Kind.DAMAGED, 15));
    }

    @Test
    void whatTheRoomsThrowHasACodeOfItsOwn() {
        assertThat(StartException.of(new HubException(HubException.Kind.NO_ROOM, "x")).code()).isEqualTo(ExitCode.NO_ROOM);
        assertThat(StartException.of(new CheckpointException("x")).code()).isEqualTo(ExitCode.BAD_CHECKPOINT);
        assertThat(StartException.of(new TextException("x")).code()).isEqualTo(ExitCode.BAD_TOKENIZER);
        assertThat(StartException.of(new PolicyException("x")).code()).isEqualTo(ExitCode.NO_POLICY);
        assertThat(StartException.of(new DeviceLostException("x")).code()).isEqualTo(ExitCode.DEVICE_LOST);
        assertThat(StartException.of(new OutOfMemoryError("x")).code()).isEqualTo(ExitCode.OUT_OF_MEMORY);
        assertThat(StartException.of(new IllegalStateException("x")).code()).isEqualTo(ExitCode.FAILED);
    }
}
