// Whitening learned from matching pairs (Radenovic, Tolias & Chum 2018; cirtorch's whitenlearn):
// the difference between two views of one surface is noise, so its covariance is made the identity;
// a PCA of the whole then orders the directions.
#pragma once

#include <cstdint>
#include <vector>

#include "retrieval/eigen.h"

namespace mirror {

struct LearnedProjection {
    std::vector<double> mean;  // of the queries, [dim]
    Spectrum spectrum;         // values of the second step; vectors [kept, dim], not orthonormal
};

// queries[i] matches positives[i], both [count, dim] in host memory. The formula is mirror.h's.
// NO_DEVICE in a build without the CPU libraries.
LearnedProjection learn_projection(
    const float* queries, const float* positives, int64_t count, int dim, int kept);

}  // namespace mirror
