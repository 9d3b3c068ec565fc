/* moebius_cuda_probe.h. The driver's functions are found by name; their types are those of cuda.h, results and devices as int. */
#include <moebius_cuda_probe.h>

#include <dlfcn.h>

namespace {

constexpr int kFunctionNotFound = 500;
constexpr int kCapabilityMajor = 75;
constexpr int kCapabilityMinor = 76;

struct Driver {
    void *library;
    int result = 0;

    /* Calls a function of the driver, unless one has failed before. */
    template <class... Arguments> void call(const char *name, Arguments... arguments) {
        if (result != 0) return;
        auto function = reinterpret_cast<int (*)(Arguments...)>(dlsym(library, name));
        result = function ? function(arguments...) : kFunctionNotFound;
    }
};

}  // namespace

void moebius_probe_cuda(moebius_cuda_machine *machine) {
    *machine = {};
    Driver driver{dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL)};
    if (!driver.library) return;
    machine->driver_found = 1;
    driver.call("cuDriverGetVersion", &machine->driver_version);
    driver.call("cuInit", 0u);
    driver.call("cuDeviceGetCount", &machine->devices);
    if (machine->devices > 0) {
        int device = 0, major = 0, minor = 0;
        driver.call("cuDeviceGet", &device, 0);
        driver.call("cuDeviceGetName", machine->device_name, int(sizeof machine->device_name), device);
        driver.call("cuDeviceGetAttribute", &major, kCapabilityMajor, device);
        driver.call("cuDeviceGetAttribute", &minor, kCapabilityMinor, device);
        machine->compute_capability = 10 * major + minor;
    }
    machine->result = driver.result;
}
