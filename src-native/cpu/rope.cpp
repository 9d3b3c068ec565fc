#include "rope.h"

#include <algorithm>
#include <cmath>

namespace moebius {

void RopeTable::reach(int count, const double *frequencies, int half, double factor) {
    if (factor != factor_ || !std::equal(frequencies_.begin(), frequencies_.end(), frequencies, frequencies + half)) {
        values_.clear();
        frequencies_.assign(frequencies, frequencies + half);
        factor_ = factor;
    }
    const int known = static_cast<int>(values_.size() / (2 * half));
    if (count <= known) return;
    const int wanted = std::max(count, known + 256);
    values_.resize(static_cast<long>(wanted) * 2 * half);
    for (int position = known; position < wanted; position++) {
        float *cosines = values_.data() + static_cast<long>(position) * 2 * half;
        for (int i = 0; i < half; i++) {
            cosines[i] = static_cast<float>(factor * std::cos(position * frequencies[i]));
            cosines[half + i] = static_cast<float>(factor * std::sin(position * frequencies[i]));
        }
    }
}

}  // namespace moebius
