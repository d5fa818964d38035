// Products of tall matrices of float rows in double: blocks of rows are widened and centred one at
// a time, so that memory beyond inputs and outputs stays a few megabytes however many rows there
// are.
#pragma once

#include <cstdint>
#include <vector>

#include "base/progress.h"

namespace mirror {

// M [count, dim] = rows - mean, or rows - other - mean where `other` is given; never stored whole.
// Every product is one pass over the rows, reported as `count` units from where the last ended.
class RowBlocks {
  public:
    // mean: NULL for none, else [dim], which must outlive this.
    RowBlocks(const float* rows,
              const float* other,
              int64_t count,
              int dim,
              const double* mean,
              Progress progress);

    // out [count, columns] = M right; right [dim, columns].
    void multiply(const double* right, int columns, double* out);
    // out [dim, columns] = M^T right; right [count, columns].
    void multiply_transposed(const double* right, int columns, double* out);
    // gram [dim, dim] += M^T M, the upper triangle of a row-major matrix.
    void add_gram(double* gram);
    // Sum of the squares of M.
    double sum_of_squares();

  private:
    template <class Use>
    void for_blocks(Use&& use);

    const float* rows_;
    const float* other_;
    int64_t count_;
    int dim_;
    const double* mean_;
    Progress progress_;
    int64_t done_ = 0;
    std::vector<double> block_;
};

// Mean of rows [count, dim].
std::vector<double> mean_of_rows(const float* rows, int64_t count, int dim);

}  // namespace mirror
