/* A place where kernels run: a GPU, or the emulation. */
#pragma once
#include <moebius_cuda.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

class Device {
  public:
    virtual ~Device() = default;
    virtual int compute_capability() const = 0;
    virtual int multiprocessors() const = 0;
    virtual void *allocate(std::size_t bytes) = 0; /* freed with the device */
    virtual void write(void *to, const void *from, std::size_t bytes) = 0;
    virtual void read(void *to, const void *from, std::size_t bytes) = 0;
    virtual void launch(const char *kernel, const int (&grid)[3], int threads, int shared_bytes, const void *structure, std::size_t bytes) = 0;
    /* Kernels start while the one before them ends (programmatic dependent launch): for whole steps, not for a kernel alone. In emulation
       none sees what the one before it writes until it waits. */
    virtual void overlap(bool on) = 0;
    /* What happens when the next kernel waits for the one before it; false where that can't be arranged. */
    virtual bool at_next_wait(std::function<void()>) { return false; }
    virtual void clear(void *p, std::size_t bytes) = 0; /* zeros */
    /* random_e4m3(seed, i), bf16 of scale * random_unit(seed, i) */
    virtual void fill_codes(std::uint8_t *to, std::size_t count, std::uint64_t seed) = 0;
    virtual void fill_bf16(std::uint16_t *to, std::size_t count, std::uint64_t seed, float scale) = 0;
    virtual std::size_t allocations() const = 0;
    virtual void release(std::size_t keep) = 0; /* all allocations but the first `keep` */
    /* Emulation is slow: cases are small there. */
    virtual bool emulated() const = 0;

    template <class T> T *upload(const std::vector<T> &values) {
        T *p = static_cast<T *>(allocate(values.size() * sizeof(T) + 16));
        write(p, values.data(), values.size() * sizeof(T));
        return p;
    }
    template <class T> T *zeros(std::size_t count) {
        T *p = static_cast<T *>(allocate(count * sizeof(T) + 16));
        clear(p, count * sizeof(T));
        return p;
    }
    template <class T> T *filled(std::size_t count, int byte) {
        return upload(std::vector<T>(count, [byte] { T v; std::memset(&v, byte, sizeof v); return v; }()));
    }
    template <class T> std::vector<T> download(const T *from, std::size_t count) {
        std::vector<T> values(count);
        read(values.data(), from, count * sizeof(T));
        return values;
    }
};

/* Kernels as C++ on the host. */
std::unique_ptr<Device> open_emulation();

const moebius_variant &find_variant(int family, int number);
/* Launches a variant with its structure. */
template <class S> void run_kernel(Device &device, const moebius_variant &variant, const S *structure) {
    int grid[3];
    moebius_grid(&variant, structure, device.multiprocessors(), grid);
    device.launch(variant.kernel, grid, variant.threads, variant.shared_bytes, structure, sizeof(S));
}
