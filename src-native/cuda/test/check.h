/* Tests as sentences: TEST(name) { check(...); }. */
#pragma once
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "device.h"

struct Test { const char *name; void (*body)(Device &); };
std::vector<Test> &tests();
struct Registration { Registration(const char *name, void (*body)(Device &)) { tests().push_back({name, body}); } };
#define TEST(name)                                    \
    static void name(Device &device);                 \
    static Registration name##_registration(#name, name); \
    static void name([[maybe_unused]] Device &device)

/* From 1 to 512: at edges of tiles of 8 to 128 rows, and one row to either side; 512 are compared with. */
inline std::vector<int> row_counts() { return {1, 2, 7, 8, 9, 16, 17, 32, 33, 64, 65, 127, 128, 129, 193, 257, 511}; }

void fail(const std::string &what);
inline void check(bool holds, const std::string &what) { if (!holds) fail(what); }
/* |actual - expected| <= absolute + relative * |expected|. */
inline void check_close(double actual, double expected, double absolute, double relative, const std::string &what) {
    if (!(std::fabs(actual - expected) <= absolute + relative * std::fabs(expected)))
        fail(what + ": " + std::to_string(actual) + " instead of " + std::to_string(expected));
}
