/* A GPU as a device of the tests and the bench. */
#pragma once
#include <functional>
#include <map>

#include "../device.h"
#include "driver.h"

class GpuDevice final : public Device {
  public:
    /* The first GPU, with the modules of these files. */
    explicit GpuDevice(const std::vector<std::string> &fatbins);
    ~GpuDevice() override;
    int compute_capability() const override { return capability; }
    int multiprocessors() const override { return processors; }
    bool emulated() const override { return stand_in; }
    void *allocate(std::size_t bytes) override;
    void write(void *to, const void *from, std::size_t bytes) override;
    void read(void *to, const void *from, std::size_t bytes) override;
    void clear(void *p, std::size_t bytes) override;
    void fill_codes(std::uint8_t *to, std::size_t count, std::uint64_t seed) override;
    void fill_bf16(std::uint16_t *to, std::size_t count, std::uint64_t seed, float scale) override;
    void launch(const char *kernel, const int (&grid)[3], int threads, int shared_bytes, const void *structure, std::size_t bytes) override;
    std::size_t allocations() const override { return memory.size(); }
    void release(std::size_t keep) override;

    /* name, driver's version, memory */
    std::string description() const;
    std::size_t free_bytes() const;
    void overlap(bool on) override { overlapped = on; }
    /* Seconds of one replay of what `enqueue` launches, recorded as a graph: median and least of `rounds` after one to warm up. */
    struct Time { double median, least; };
    Time time(const std::function<void()> &enqueue, int rounds);

  private:
    Driver driver;
    CUdevice device = 0;
    CUstream stream = nullptr;
    CUevent before = nullptr, after = nullptr;
    std::vector<CUmodule> modules;
    std::vector<std::string> images;
    std::map<std::string, CUfunction> functions;
    std::vector<CUdeviceptr> memory;
    int capability = 0, processors = 0;
    bool overlapped = false, stand_in = false;

    int attribute(CUdevice_attribute which) const;
    CUfunction function(const char *kernel, int shared_bytes);
    /* Whether the image of this GPU has the wait for the kernel before: what is compiled for 8.9, and serves all not named, has none. */
    bool image_waits() const { return capability / 10 == 9 || capability / 10 == 10 || capability / 10 == 12; }
    void wait() const;
    void fill(void *to, std::size_t count, std::uint64_t seed, float scale, int codes);
};
