// Eigenvectors of a symmetric matrix, by LAPACK.
#pragma once

#include <vector>

namespace mirror {

struct Spectrum {
    std::vector<double> values;   // decreasing
    std::vector<double> vectors;  // [values, dim], rows; the largest component of each is positive
};

// The `count` largest eigenpairs of a symmetric matrix [dim, dim], which is destroyed. NO_DEVICE in
// a build without the CPU libraries.
Spectrum largest_eigenpairs(std::vector<double>& matrix, int dim, int count);

}  // namespace mirror
