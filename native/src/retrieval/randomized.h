// Randomized PCA exactly as scikit-learn computes it (randomized_svd with random_state=0, the
// solver that MIRorR's --out_dim 256 ends up with; Halko, Martinsson & Tropp 2011): power
// iterations on a Gaussian start, conditioned here by QR where scikit-learn takes LU, which spans
// the same space.
#pragma once

#include <cstdint>
#include <vector>

#include "base/progress.h"
#include "retrieval/eigen.h"

namespace mirror {

// The first `count` numbers of numpy.random.RandomState(0).normal: MT19937 seeded with 0, doubles
// of 53 bits, Marsaglia's polar method, the second number of a pair first. Bit for bit.
std::vector<double> standard_normals(size_t count);

// scikit-learn's svd_solver="auto" before version 1.5.
bool auto_is_randomized(int64_t rows, int64_t dim, int64_t components);

struct Pca {
    std::vector<double> mean;
    Spectrum spectrum;  // variances S^2 / (count - 1) and components
    double total = 0;   // variance of the rows
};

// Passes over the rows that randomized_pca makes: units of its progress, times count.
int randomized_passes(int64_t rows, int64_t dim, int64_t components);

// Signs as svd_flip leaves them. rows [count, dim] in host memory; 1 <= components <= min(count,
// dim). NO_DEVICE in a build without the CPU libraries.
Pca randomized_pca(
    const float* rows, int64_t count, int dim, int components, const Progress& progress);

}  // namespace mirror
