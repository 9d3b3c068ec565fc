/* Results as they come: a row of a table for people, and a line of JSON in a file that is whole at any time. Keys as in `moebius bench`. */
#pragma once
#include <filesystem>
#include <string>

class Report {
  public:
    /* Starts FOLDER/NAME.jsonl anew. */
    Report(const std::filesystem::path &folder, const std::string &name);
    /* bound: least seconds possible */
    void kernel(const std::string &site, const std::string &kernel, int tokens, double seconds, double bytes, double flops, double bound);
    /* context: of each decoded token, or the prompt's length */
    void step(const char *phase, const char *variants, int layers, int batch, int context, int tokens, double seconds, double least, double bound);
    static void write(const std::filesystem::path &path, const std::string &text);

  private:
    std::filesystem::path path;
    void add(const std::string &line) const;
};
