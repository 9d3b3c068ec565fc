/* The files of a checkpoint, read whole: for tiny ones. */
#pragma once
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include "json.h"

inline std::string read_file(const std::filesystem::path &path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error(path.string() + ": can't be read");
    return {std::istreambuf_iterator<char>(file), {}};
}

struct RawTensor {
    std::string type;
    std::vector<int> shape;
    const char *data;
    std::size_t bytes;

    float float32(std::size_t i) const { float v; std::memcpy(&v, data + i * 4, 4); return v; }
};

class Safetensors {
  public:
    void add(const std::filesystem::path &path) {
        auto &bytes = files.emplace_back(std::make_unique<std::string>(read_file(path)));
        std::uint64_t length = 0;
        if (bytes->size() >= 8) std::memcpy(&length, bytes->data(), 8);
        if (bytes->size() < 8 || length > bytes->size() - 8) throw std::runtime_error(path.string() + ": header longer than the file");
        const char *data = bytes->data() + 8 + length;
        for (auto &[name, entry] : JsonReader::read(bytes->substr(8, length)).members) {
            if (name == "__metadata__") continue;
            auto &ends = entry.at("data_offsets").items;
            RawTensor tensor{entry.at("dtype").text, {}, data + std::size_t(ends.at(0).number), std::size_t(ends.at(1).number - ends.at(0).number)};
            if (ends[1].number > bytes->size() - 8 - length) throw std::runtime_error(path.string() + ": " + name + " ends behind the file");
            for (auto &extent : entry.at("shape").items) tensor.shape.push_back(int(extent.number));
            tensors[name] = tensor;
        }
    }
    bool has(const std::string &name) const { return tensors.count(name) > 0; }
    const RawTensor &at(const std::string &name) const {
        if (!has(name)) throw std::runtime_error("no tensor " + name);
        return tensors.at(name);
    }

  private:
    std::vector<std::unique_ptr<std::string>> files;
    std::map<std::string, RawTensor> tensors;
};
