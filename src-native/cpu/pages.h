// Pages of mapped files.
#pragma once
#include <cstdint>

#include "thread_pool.h"

namespace moebius {

// Brings them into memory, so that the first steps need not wait for a disk.
void fetch_pages(const unsigned char *data, int64_t bytes, ThreadPool &pool);

// Takes whole ones out of this process; it finds them again where it must.
void drop_pages(const unsigned char *data, int64_t bytes);

}  // namespace moebius
