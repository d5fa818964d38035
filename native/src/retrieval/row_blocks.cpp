#include "retrieval/row_blocks.h"

#if MIRROR_HAS_CPU
#include <cblas.h>

#include <algorithm>

namespace mirror {
namespace {

// Rows of a block of doubles of about 8 MB; at least 64, at most 4096.
int64_t block_rows(int64_t dim) {
    return std::clamp<int64_t>((1 << 20) / std::max<int64_t>(dim, 1), 64, 4096);
}

}  // namespace

RowBlocks::RowBlocks(const float* rows,
                     const float* other,
                     int64_t count,
                     int dim,
                     const double* mean,
                     Progress progress)
    : rows_(rows),
      other_(other),
      count_(count),
      dim_(dim),
      mean_(mean),
      progress_(progress),
      block_(static_cast<size_t>(std::min(block_rows(dim), count)) * dim) {}

template <class Use>
void RowBlocks::for_blocks(Use&& use) {
    const int64_t step = block_rows(dim_);
    for (int64_t first = 0; first < count_; first += step) {
        const int64_t height = std::min(step, count_ - first);
        for (int64_t row = 0; row < height; ++row) {
            const int64_t at = (first + row) * dim_;
            double* to = block_.data() + row * dim_;
            for (int i = 0; i < dim_; ++i) to[i] = rows_[at + i];
            if (other_)
                for (int i = 0; i < dim_; ++i) to[i] -= other_[at + i];
            if (mean_)
                for (int i = 0; i < dim_; ++i) to[i] -= mean_[i];
        }
        use(first, static_cast<blasint>(height));
        done_ += height;
        progress_.report(done_);
    }
}

void RowBlocks::multiply(const double* right, int columns, double* out) {
    for_blocks([&](int64_t first, blasint height) {
        cblas_dgemm(CblasRowMajor,
                    CblasNoTrans,
                    CblasNoTrans,
                    height,
                    columns,
                    dim_,
                    1.0,
                    block_.data(),
                    dim_,
                    right,
                    columns,
                    0.0,
                    out + first * columns,
                    columns);
    });
}

void RowBlocks::multiply_transposed(const double* right, int columns, double* out) {
    std::fill_n(out, static_cast<int64_t>(dim_) * columns, 0.0);
    for_blocks([&](int64_t first, blasint height) {
        cblas_dgemm(CblasRowMajor,
                    CblasTrans,
                    CblasNoTrans,
                    dim_,
                    columns,
                    height,
                    1.0,
                    block_.data(),
                    dim_,
                    right + first * columns,
                    columns,
                    1.0,
                    out,
                    columns);
    });
}

void RowBlocks::add_gram(double* gram) {
    for_blocks([&](int64_t, blasint height) {
        cblas_dsyrk(CblasRowMajor,
                    CblasUpper,
                    CblasTrans,
                    dim_,
                    height,
                    1.0,
                    block_.data(),
                    dim_,
                    1.0,
                    gram,
                    dim_);
    });
}

double RowBlocks::sum_of_squares() {
    double sum = 0;
    for_blocks([&](int64_t, blasint height) {
        double part = 0;
        for (int64_t i = 0; i < int64_t{height} * dim_; ++i) part += block_[i] * block_[i];
        sum += part;
    });
    return sum;
}

std::vector<double> mean_of_rows(const float* rows, int64_t count, int dim) {
    // Sums of blocks, then of their sums: the rounding error does not grow with the number of rows.
    std::vector<double> mean(dim), part(dim);
    const int64_t step = block_rows(dim);
    for (int64_t first = 0; first < count; first += step) {
        std::fill(part.begin(), part.end(), 0.0);
        for (int64_t row = first; row < std::min(first + step, count); ++row)
            for (int i = 0; i < dim; ++i) part[i] += rows[row * dim + i];
        for (int i = 0; i < dim; ++i) mean[i] += part[i];
    }
    for (double& value : mean) value /= static_cast<double>(count);
    return mean;
}

}  // namespace mirror
#endif
