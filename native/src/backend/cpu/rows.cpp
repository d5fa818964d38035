// Descriptor rows: L2 normalisation, covariance, whitening. Stored as float, computed in double,
// tile by tile, so that memory beyond the inputs stays a few megabytes whatever the number of rows.
#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "backend/cpu/cpu_backend.h"
#include "backend/cpu/simd.h"
#include "base/dot.h"

namespace mirror {
namespace {

// Rows of a tile of doubles of about 8 MB; at least 64, at most 4096.
int64_t tile_rows(int64_t dim) {
    return std::clamp<int64_t>((1 << 20) / std::max<int64_t>(dim, 1), 64, 4096);
}

MIRROR_SIMD void normalize_row(const float* x, int dim, float* y) {
    const double norm = std::sqrt(dot(x, x, dim));
    for (int i = 0; i < dim; ++i) y[i] = norm > 0 ? static_cast<float>(x[i] / norm) : 0.0f;
}

MIRROR_SIMD void add_row(const float* x, int dim, double* sums) {
    for (int i = 0; i < dim; ++i) sums[i] += x[i];
}

MIRROR_SIMD void center_row(const float* x, const double* mean, int dim, double* y) {
    for (int i = 0; i < dim; ++i) y[i] = x[i] - mean[i];
}

MIRROR_SIMD void widen(const float* x, int64_t n, double* y) {
    for (int64_t i = 0; i < n; ++i) y[i] = x[i];
}

}  // namespace

void CpuBackend::l2_normalize(const float* x, int64_t count, int dim, float* y) {
    const ThreadScope scope(threads_);
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < count; ++row) normalize_row(x + row * dim, dim, y + row * dim);
}

void CpuBackend::covariance(const float* rows,
                            int64_t count,
                            int dim,
                            const Progress& progress,
                            double* mean,
                            double* covariance) {
    const ThreadScope scope(threads_);
    const int64_t size = dim, tile = tile_rows(dim);
    progress.report(0);
    // Sums of tiles, then of their sums: the rounding error does not grow with the number of rows.
    std::vector<double> partial(dim);
    std::fill_n(mean, dim, 0.0);
    for (int64_t first = 0; first < count; first += tile) {
        std::fill(partial.begin(), partial.end(), 0.0);
        for (int64_t row = first; row < std::min(first + tile, count); ++row)
            add_row(rows + row * size, dim, partial.data());
        for (int i = 0; i < dim; ++i) mean[i] += partial[i];
    }
    for (int i = 0; i < dim; ++i) mean[i] /= static_cast<double>(count);

    std::vector<double> centered(static_cast<size_t>(std::min(tile, count)) * dim);
    std::fill_n(covariance, size * size, 0.0);
    const double scale = 1.0 / static_cast<double>(count - 1);
    for (int64_t first = 0; first < count; first += tile) {
        const int64_t height = std::min(tile, count - first);
#pragma omp parallel for schedule(static)
        for (int64_t row = 0; row < height; ++row)
            center_row(rows + (first + row) * size, mean, dim, centered.data() + row * size);
        cblas_dsyrk(CblasRowMajor,
                    CblasUpper,
                    CblasTrans,
                    dim,
                    static_cast<blasint>(height),
                    scale,
                    centered.data(),
                    dim,
                    1.0,
                    covariance,
                    dim);
        progress.report(first + height);
    }
    for (int64_t i = 0; i < size; ++i)
        for (int64_t j = 0; j < i; ++j) covariance[i * size + j] = covariance[j * size + i];
}

void CpuBackend::whiten(const float* rows,
                        int64_t count,
                        int dim,
                        const double* projection,
                        const double* offset,
                        int out_dim,
                        float* out) {
    const ThreadScope scope(threads_);
    const int64_t tile = tile_rows(dim);
    const auto height_limit = static_cast<size_t>(std::min(tile, count));
    std::vector<double> wide(height_limit * dim), projected(height_limit * out_dim);
    // A row equal to the mean must give zeros, not a normalised rounding residue.
    const double residue = 1e-13 * std::sqrt(dot(offset, offset, out_dim));
    for (int64_t first = 0; first < count; first += tile) {
        const int64_t height = std::min(tile, count - first);
        widen(rows + first * dim, height * dim, wide.data());
        cblas_dgemm(CblasRowMajor,
                    CblasNoTrans,
                    CblasTrans,
                    static_cast<blasint>(height),
                    out_dim,
                    dim,
                    1.0,
                    wide.data(),
                    dim,
                    projection,
                    dim,
                    0.0,
                    projected.data(),
                    out_dim);
#pragma omp parallel for schedule(static)
        for (int64_t row = 0; row < height; ++row) {
            double* values = projected.data() + row * out_dim;
            for (int i = 0; i < out_dim; ++i) values[i] -= offset[i];
            const double norm = std::sqrt(dot(values, values, out_dim));
            float* target = out + (first + row) * out_dim;
            for (int i = 0; i < out_dim; ++i)
                target[i] = norm > residue ? static_cast<float>(values[i] / norm) : 0.0f;
        }
    }
}

}  // namespace mirror
