#include "rope.h"

#include <algorithm>
#include <cmath>

namespace moebius {

void RopeTable::reach(int count, int head_dim, float theta) {
    if (head_dim != head_dim_ || theta != theta_) values_.clear();
    head_dim_ = head_dim;
    theta_ = theta;
    const int known = static_cast<int>(values_.size() / head_dim);
    if (count <= known) return;
    const int wanted = std::max(count, known + 256), half = head_dim / 2;
    values_.resize(static_cast<long>(wanted) * head_dim);
    std::vector<double> frequencies(half);
    for (int i = 0; i < half; i++) frequencies[i] = std::pow(static_cast<double>(theta), -2.0 * i / head_dim);
    for (int position = known; position < wanted; position++) {
        float *cosines = values_.data() + static_cast<long>(position) * head_dim;
        for (int i = 0; i < half; i++) {
            cosines[i] = static_cast<float>(std::cos(position * frequencies[i]));
            cosines[half + i] = static_cast<float>(std::sin(position * frequencies[i]));
        }
    }
}

}  // namespace moebius
