/* The emulation as a device of the tests. */
#include "device.h"
#include "emulated/kernels.h"
#include "random_values.h"

#include <algorithm>
#include <new>
#include <stdexcept>

namespace {

class EmulatedDevice final : public Device {
  public:
    int compute_capability() const override { return emu::kComputeCapability; }
    int multiprocessors() const override { return emu::kMultiprocessors; }
    bool emulated() const override { return true; }
    void *allocate(std::size_t bytes) override {
        show();
        sizes.push_back(bytes);
        memory.emplace_back(new (std::align_val_t(1024)) std::uint8_t[bytes + 16]);
        std::memset(memory.back(), 0xff, bytes);
        return memory.back();
    }
    void write(void *to, const void *from, std::size_t bytes) override { show(); std::memcpy(to, from, bytes); }
    void read(void *to, const void *from, std::size_t bytes) override { show(); std::memcpy(to, from, bytes); }
    void clear(void *p, std::size_t bytes) override { show(); std::memset(p, 0, bytes); }
    void fill_codes(std::uint8_t *to, std::size_t count, std::uint64_t seed) override {
        show();
        for (std::size_t i = 0; i < count; i++) to[i] = random_e4m3(seed, i);
    }
    void fill_bf16(std::uint16_t *to, std::size_t count, std::uint64_t seed, float scale) override {
        show();
        for (std::size_t i = 0; i < count; i++) to[i] = encode_bf16(scale * random_unit(seed, i));
    }
    void launch(const char *kernel, const int (&grid)[3], int threads, int shared_bytes, const void *parameters, std::size_t) override {
        if (!overlapped) return emu::run_kernel(kernel, grid, threads, shared_bytes, parameters);
        Contents before;
        emu::precede([&] {
            show();
            before = contents();
        });
        emu::run_kernel(kernel, grid, threads, shared_bytes, parameters);
        if (before.empty()) throw std::runtime_error(std::string(kernel) + " did not wait for the kernel before it");
        late = contents();
        restore(before);
    }
    void overlap(bool on) override {
        show();
        overlapped = on;
    }
    bool at_next_wait(std::function<void()> work) override {
        emu::precede(std::move(work));
        return true;
    }
    std::size_t allocations() const override { return memory.size(); }
    void release(std::size_t keep) override {
        show();
        for (std::size_t i = keep; i < memory.size(); i++) operator delete[](memory[i], std::align_val_t(1024));
        memory.resize(std::min(keep, memory.size()));
        sizes.resize(memory.size());
    }
    ~EmulatedDevice() override { release(0); }

  private:
    using Contents = std::vector<std::vector<std::uint8_t>>;
    std::vector<std::uint8_t *> memory;
    std::vector<std::size_t> sizes;
    bool overlapped = false;
    Contents late; /* what is in memory once the last kernel's writes are seen; empty if they are */

    Contents contents() const {
        Contents all;
        for (std::size_t i = 0; i < memory.size(); i++) all.emplace_back(memory[i], memory[i] + sizes[i]);
        return all;
    }
    void restore(const Contents &from) {
        for (std::size_t i = 0; i < from.size(); i++) std::memcpy(memory[i], from[i].data(), from[i].size());
    }
    void show() {
        restore(late);
        late.clear();
    }
};

}  // namespace

std::unique_ptr<Device> open_emulation() { return std::make_unique<EmulatedDevice>(); }
