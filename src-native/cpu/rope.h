// Cosines and sines of rotary embeddings, computed once per position.
#pragma once
#include <vector>

namespace moebius {

class RopeTable {
public:
    // Makes positions [0, count) ready; another head_dim or theta starts anew.
    void reach(int count, int head_dim, float theta);

    // head_dim / 2 cosines, then as many sines.
    const float *at(int position) const { return values_.data() + static_cast<long>(position) * head_dim_; }

private:
    std::vector<float> values_;
    int head_dim_ = 0;
    float theta_ = 0;
};

}  // namespace moebius
