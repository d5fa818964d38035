// Dot products of stored floats or doubles, summed in double.
#pragma once

#include <cstdint>

namespace mirror {

// Eight partial sums, added in a fixed order: vectorises without changing with the instruction set.
// Inlined into functions marked MIRROR_SIMD.
template <class T>
double dot(const T* a, const T* b, int64_t n) {
    double lanes[8] = {};
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int k = 0; k < 8; ++k)
            lanes[k] += static_cast<double>(a[i + k]) * static_cast<double>(b[i + k]);
    double sum = 0;
    for (; i < n; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    for (const double lane : lanes) sum += lane;
    return sum;
}

}  // namespace mirror
