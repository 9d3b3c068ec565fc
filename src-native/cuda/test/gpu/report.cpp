#include "report.h"

#include <cstdio>
#include <fstream>
#include <stdexcept>

Report::Report(const std::filesystem::path &folder, const std::string &name) : path(folder / (name + ".jsonl")) {
    std::filesystem::create_directories(folder);
    write(path, "");
}

void Report::write(const std::filesystem::path &path, const std::string &text) {
    std::ofstream file(path);
    if (!(file << text)) throw std::runtime_error(path.string() + ": can't be written");
}
void Report::add(const std::string &line) const {
    std::ofstream file(path, std::ios::app);
    if (!(file << line << '\n' << std::flush)) throw std::runtime_error(path.string() + ": can't be written");
}

void Report::kernel(const std::string &site, const std::string &kernel, int tokens, double seconds, double bytes, double flops, double bound) {
    std::printf("%-16s %-32s %6d %10.1f us %8.0f GB/s %8.1f TFLOP/s %4.0f %% of its bound\n", site.c_str(), kernel.c_str(), tokens, seconds * 1e6,
                bytes / seconds / 1e9, flops / seconds / 1e12, bound / seconds * 100);
    std::fflush(stdout);
    char line[400];
    std::snprintf(line, sizeof line,
                  "{\"site\": \"%s\", \"kernel\": \"%s\", \"tokens\": %d, \"microseconds\": %.3f, \"gigabytes_per_second\": %.1f, \"gigaflops\": %.1f, "
                  "\"bound_fraction\": %.4f}",
                  site.c_str(), kernel.c_str(), tokens, seconds * 1e6, bytes / seconds / 1e9, flops / seconds / 1e9, bound / seconds);
    add(line);
}

void Report::step(const char *phase, const char *variants, int layers, int batch, int context, int tokens, double seconds, double least, double bound) {
    std::printf("step %-8s %-8s batch %4d context %6d: %8.3f ms, %9.0f tokens/s, %3.0f %% of its bound (%d layers)\n", phase, variants, batch, context,
                seconds * 1e3, tokens / seconds, bound / seconds * 100, layers);
    std::fflush(stdout);
    char line[400];
    std::snprintf(line, sizeof line,
                  "{\"phase\": \"%s\", \"variants\": \"%s\", \"layers\": %d, \"batch\": %d, \"prompt_tokens\": %d, \"milliseconds\": %.4f, "
                  "\"tokens_per_second\": %.1f, \"best_tokens_per_second\": %.1f, \"bound_fraction\": %.4f}",
                  phase, variants, layers, batch, context, seconds * 1e3, tokens / seconds, tokens / least, bound / seconds);
    add(line);
}
