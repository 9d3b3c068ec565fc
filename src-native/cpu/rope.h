// Cosines and sines of rotary embeddings, times their factor, computed once per position.
#pragma once
#include <vector>

namespace moebius {

class RopeTable {
public:
    // Makes positions [0, count) ready; other frequencies [half] or another factor start anew.
    void reach(int count, const double *frequencies, int half, double factor);

    // As many cosines as there are frequencies, then as many sines.
    const float *at(int position) const { return values_.data() + 2 * position * static_cast<long>(frequencies_.size()); }

private:
    std::vector<float> values_;
    std::vector<double> frequencies_;
    double factor_ = 1;
};

}  // namespace moebius
