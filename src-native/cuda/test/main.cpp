/* Runs the tests on the device of this build: all, or those whose name has the first argument in it. */
#include "check.h"

namespace { int failures = 0; const char *running = ""; }

std::vector<Test> &tests() { static std::vector<Test> all; return all; }
void fail(const std::string &what) {
    if (failures++ < 40) std::fprintf(stderr, "FAILED %s: %s\n", running, what.c_str());
}

const moebius_variant &find_variant(int family, int number) {
    int count;
    const moebius_variant *all = moebius_variants(&count);
    for (int i = 0; i < count; i++)
        if (all[i].family == family && all[i].number == number) return all[i];
    std::fprintf(stderr, "no variant %d of family %d\n", number, family);
    std::abort();
}
int run_tests(Device &device, const std::string &wanted) {
    int run = 0;
    for (const Test &test : tests()) {
        if (std::string(test.name).find(wanted) == std::string::npos) continue;
        running = test.name;
        int before = failures;
        test.body(device);
        device.release(0);
        run++;
        std::printf("%s %s\n", failures == before ? "ok    " : "FAILED", test.name);
        std::fflush(stdout);
    }
    std::printf("%d tests, %d failures%s\n", run, failures, device.emulated() ? " (emulated: nothing ran on a GPU)" : "");
    return failures > 0 || run == 0;
}
