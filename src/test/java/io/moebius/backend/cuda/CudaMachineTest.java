package io.moebius.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CudaMachineTest {

    @Test
    void asksTheDriver() throws Exception {
        EmulatedDriver.open().close();
        CudaMachine machine = CudaMachine.probe();
        assertThat(machine.deviceName()).isEqualTo("Emulated GPU");
        assertThat(machine.computeCapability()).isEqualTo(90);
        assertThat(machine.refusal()).isEmpty();
    }

    @Test
    void takesAHopper() {
        assertThat(new CudaMachine(true, 0, 13000, 1, 90, "NVIDIA H200").refusal()).isEmpty();
    }

    @Test
    void refusesAmpereByWhatItLacks() {
        assertThat(new CudaMachine(true, 0, 13000, 1, 80, "NVIDIA A100").refusal())
                .hasValue("FP8 needs Ada, Hopper or Blackwell (compute capability 8.9 or more); this is NVIDIA A100 (8.0)");
    }

    @Test
    void refusesAMachineWithoutDriver() {
        assertThat(new CudaMachine(false, 0, 0, 0, 0, "").refusal()).get().asString().contains("no NVIDIA driver");
    }

    @Test
    void refusesADriverThatIsTooOld() {
        assertThat(new CudaMachine(true, 0, 12040, 1, 90, "NVIDIA H200").refusal()).get().asString().contains("CUDA 12.4 at most, Moebius needs 13.0");
    }

    @Test
    void refusesADriverThatSeesNoDevice() {
        assertThat(new CudaMachine(true, 100, 13000, 0, 0, "").refusal()).get().asString().startsWith("no GPU is visible");
    }

    @Test
    void namesTheErrorOfADriverThatFails() {
        assertThat(new CudaMachine(true, 803, 13000, 0, 0, "").refusal()).get().asString().contains("error 803");
    }
}
