/* targets FATBIN: prints the images of a fat binary from its own headers, one per line: kind, target, bytes. */
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

template <class T> static T at(const std::vector<char> &bytes, std::size_t offset) {
    T value{};
    if (offset + sizeof value <= bytes.size()) std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

int main(int count, char **arguments) {
    if (count != 2) { std::fprintf(stderr, "usage: targets FATBIN\n"); return 2; }
    std::ifstream file(arguments[1], std::ios::binary);
    std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    if (at<std::uint32_t>(bytes, 0) != 0xba55ed50u) { std::fprintf(stderr, "%s: not a fat binary\n", arguments[1]); return 1; }
    /* magic u32, version u16, header bytes u16, bytes of all images u64 */
    std::size_t end = at<std::uint16_t>(bytes, 6) + at<std::uint64_t>(bytes, 8);
    for (std::size_t image = at<std::uint16_t>(bytes, 6); image < end && image < bytes.size();) {
        /* kind u16 (1 PTX, 2 ELF), version u16, header bytes u32, padded bytes u64, ..., target u32 at 28 */
        auto kind = at<std::uint16_t>(bytes, image);
        auto header = at<std::uint32_t>(bytes, image + 4);
        auto size = at<std::uint64_t>(bytes, image + 8);
        auto target = at<std::uint32_t>(bytes, image + 28);
        std::printf("%s %s_%u %llu bytes\n", kind == 1 ? "ptx" : "elf", kind == 1 ? "compute" : "sm", target, static_cast<unsigned long long>(size));
        if (header + size == 0) return 1;
        image += header + size;
    }
}
