package io.moebius.launch;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.hub.HubException;
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
}
