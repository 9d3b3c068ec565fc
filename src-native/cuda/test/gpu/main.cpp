/* gpu check [NAME]: every test on the GPU, each in a process of its own, so that a lost device or a kernel that hangs fails one test alone.
   gpu bench attention|steps FOLDER [tiny]: measures, into FOLDER. Both read moebius.fatbin and helpers.fatbin beside the program. */
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "../check.h"
#include "bench.h"

int run_tests(Device &device, const std::string &wanted);

namespace {

/* MOEBIUS_TEST_SECONDS: more of it under a sanitizer. */
unsigned seconds_per_test() {
    const char *given = std::getenv("MOEBIUS_TEST_SECONDS");
    return given ? unsigned(std::atoi(given)) : 100;
}
std::filesystem::path beside;

std::vector<std::string> modules() { return {beside / "moebius.fatbin", beside / "helpers.fatbin"}; }

int run_alone(const std::string &test) {
    std::fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(seconds_per_test());
        int code = 1;
        try {
            GpuDevice device(modules());
            code = run_tests(device, test);
        } catch (const std::exception &e) {
            std::fprintf(stderr, "FAILED %s: %s\n", test.c_str(), e.what());
        }
        std::fflush(stdout);
        _exit(code);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) std::fprintf(stderr, "FAILED %s: ended by signal %d%s\n", test.c_str(), WTERMSIG(status), WTERMSIG(status) == SIGALRM ? " after its time" : "");
    return status != 0;
}

int check_all(const std::string &wanted) {
    int run = 0, failed = 0;
    for (const Test &test : tests()) {
        if (std::string(test.name).find(wanted) == std::string::npos) continue;
        run++;
        failed += run_alone(test.name);
    }
    std::printf("%d of %d tests failed on the GPU\n", failed, run);
    return failed > 0 || run == 0;
}

int bench(const std::string &what, const std::filesystem::path &folder, const BenchPlan &plan) {
    GpuDevice device(modules());
    std::printf("machine  %s\n", device.description().c_str());
    Bounds bounds = Bounds::measure(device);
    std::filesystem::create_directories(folder);
    Report::write(folder / "machine.txt", device.description());
    Report::write(folder / "bounds.json", bounds.json());
    if (what == "attention") {
        Report report(folder, "attention");
        bench_attention(device, bounds, plan, report);
    } else {
        Report kernels(folder, "kernels"), steps(folder, "steps");
        bench_steps(device, bounds, plan, kernels, steps);
    }
    return 0;
}

}  // namespace

int main(int count, char **arguments) {
    beside = std::filesystem::path(arguments[0]).parent_path();
    std::string command = count > 1 ? arguments[1] : "", what = count > 2 ? arguments[2] : "";
    try {
        if (command == "check") return check_all(what);
        if (command == "bench" && (what == "attention" || what == "steps") && count > 3)
            return bench(what, arguments[3], count > 4 && arguments[4] == std::string("tiny") ? BenchPlan::tiny() : BenchPlan::mixtral());
    } catch (const std::exception &e) {
        std::fprintf(stderr, "gpu: %s\n", e.what());
        return 1;
    }
    std::fprintf(stderr, "usage: gpu check [NAME] | gpu bench attention|steps FOLDER [tiny]\n");
    return 2;
}
