/* The host's part of the checks: every kernel in emulation. */
#include "check.h"

int run_tests(Device &device, const std::string &wanted);

int main(int count, char **arguments) {
    std::unique_ptr<Device> device = open_emulation();
    return run_tests(*device, count > 1 ? arguments[1] : "");
}
