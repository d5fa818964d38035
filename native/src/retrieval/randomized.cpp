#include "retrieval/randomized.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "base/checked.h"
#include "base/error.h"
#include "retrieval/row_blocks.h"
#if MIRROR_HAS_CPU
#include <cblas.h>

#include "retrieval/lapack.h"
#endif

namespace mirror {
namespace {

int power_iterations(int64_t rows, int64_t dim, int64_t components) {
    return static_cast<double>(components) < 0.1 * static_cast<double>(std::min(rows, dim)) ? 7 : 4;
}

#if MIRROR_HAS_CPU
constexpr int kOversamples = 10;

// Replaces y [rows, columns] by an orthonormal basis of its columns, [rows, min(rows, columns)],
// and returns the number of columns. Row-major y is column-major y^T, so this is an LQ.
int orthonormalize(std::vector<double>& y, lapack_int rows, int columns) {
    const int kept = std::min(rows, columns);
    std::vector<double> reflectors(kept);
    check_lapack(
        LAPACKE_dgelqf(LAPACK_COL_MAJOR, columns, rows, y.data(), columns, reflectors.data()),
        "dgelqf");
    check_lapack(
        LAPACKE_dorglq(LAPACK_COL_MAJOR, kept, rows, kept, y.data(), columns, reflectors.data()),
        "dorglq");
    if (kept < columns)
        for (int64_t row = 0; row < rows; ++row)
            std::copy_n(y.begin() + row * columns, kept, y.begin() + row * kept);
    return kept;
}

// scikit-learn's svd_flip on the left singular vectors of the rows: [count, columns] times
// rotation^T (column-major [columns, kept]), of which only the entry largest in magnitude of each
// column counts.
std::vector<bool> negative_peaks(const std::vector<double>& basis,
                                 int64_t count,
                                 int columns,
                                 const std::vector<double>& rotation,
                                 int kept) {
    constexpr int64_t step = 1024;
    std::vector<double> peaks(kept), part(static_cast<size_t>(std::min(step, count)) * kept);
    for (int64_t first = 0; first < count; first += step) {
        const auto height = static_cast<blasint>(std::min(step, count - first));
        cblas_dgemm(CblasRowMajor,
                    CblasNoTrans,
                    CblasTrans,
                    height,
                    kept,
                    columns,
                    1.0,
                    basis.data() + first * columns,
                    columns,
                    rotation.data(),
                    columns,
                    0.0,
                    part.data(),
                    kept);
        for (int64_t i = 0; i < int64_t{height} * kept; ++i)
            if (std::fabs(part[i]) > std::fabs(peaks[i % kept])) peaks[i % kept] = part[i];
    }
    std::vector<bool> negative(kept);
    std::transform(peaks.begin(), peaks.end(), negative.begin(), [](double x) { return x < 0; });
    return negative;
}
#endif

}  // namespace

std::vector<double> standard_normals(size_t count) {
    std::mt19937 generator(0);
    const auto uniform = [&] {
        const uint32_t high = generator() >> 5, low = generator() >> 6;
        return (high * 67108864.0 + low) / 9007199254740992.0;
    };
    std::vector<double> values(count);
    for (size_t i = 0; i < count; i += 2) {
        double x, y, square;
        do {
            x = 2.0 * uniform() - 1.0;
            y = 2.0 * uniform() - 1.0;
            square = x * x + y * y;
        } while (square >= 1.0 || square == 0.0);
        const double factor = std::sqrt(-2.0 * std::log(square) / square);
        values[i] = factor * y;
        if (i + 1 < count) values[i + 1] = factor * x;
    }
    return values;
}

bool auto_is_randomized(int64_t rows, int64_t dim, int64_t components) {
    return std::max(rows, dim) > 500 && components >= 1 &&
           static_cast<double>(components) < 0.8 * static_cast<double>(std::min(rows, dim));
}

int randomized_passes(int64_t rows, int64_t dim, int64_t components) {
    return 2 * power_iterations(rows, dim, components) + 3;
}

#if MIRROR_HAS_CPU
Pca randomized_pca(
    const float* rows, int64_t count, int dim, int components, const Progress& progress) {
    const lapack_int tall = lapack_size("count", std::max<int64_t>(count, dim));
    const auto wide = static_cast<int>(std::min<int64_t>(count, dim));
    Pca result;
    result.mean = mean_of_rows(rows, count, dim);
    RowBlocks centered(rows, nullptr, count, dim, result.mean.data(), progress);
    // A is the taller of the centred rows and their transpose.
    const bool transposed = count < dim;
    int columns = components + kOversamples;
    std::vector<double> basis = standard_normals(checked_size("start", wide, columns)), image;
    const auto multiply = [&](bool by_rows) {
        image.resize(checked_size("basis", by_rows ? count : dim, columns));
        if (by_rows)
            centered.multiply(basis.data(), columns, image.data());
        else
            centered.multiply_transposed(basis.data(), columns, image.data());
        basis.swap(image);
    };
    for (int i = 0; i < power_iterations(count, dim, components); ++i) {
        multiply(!transposed);
        columns = orthonormalize(basis, tall, columns);
        multiply(transposed);
        columns = orthonormalize(basis, wide, columns);
    }
    multiply(!transposed);
    columns = orthonormalize(basis, tall, columns);
    multiply(transposed);  // A^T Q [wide, columns], row-major: column-major Q^T A
    const std::vector<double>& left = image;  // Q [tall, columns], which basis was before

    const int rank = std::min(columns, wide);
    std::vector<double> singular(rank), u(static_cast<size_t>(columns) * rank),
        vt(checked_size("components", rank, wide));
    check_lapack(LAPACKE_dgesdd(LAPACK_COL_MAJOR,
                                'S',
                                columns,
                                wide,
                                basis.data(),
                                columns,
                                singular.data(),
                                u.data(),
                                columns,
                                vt.data(),
                                rank),
                 "dgesdd");
    // Right singular vectors of A: row-major [wide, rank]; left ones: `left` times u.
    Spectrum& spectrum = result.spectrum;
    spectrum.values.resize(components);
    spectrum.vectors.resize(checked_size("components", components, dim));
    std::vector<double> tall_vectors;
    if (transposed) {
        tall_vectors.resize(checked_size("components", tall, components));
        cblas_dgemm(CblasRowMajor,
                    CblasNoTrans,
                    CblasTrans,
                    dim,
                    components,
                    columns,
                    1.0,
                    left.data(),
                    columns,
                    u.data(),
                    columns,
                    0.0,
                    tall_vectors.data(),
                    components);
    }
    const std::vector<bool> flip = [&] {
        if (!transposed) return negative_peaks(left, count, columns, u, components);
        std::vector<bool> negative(components);
        for (int k = 0; k < components; ++k) {
            double peak = 0;
            for (int64_t i = 0; i < wide; ++i)
                if (std::fabs(vt[i * rank + k]) > std::fabs(peak)) peak = vt[i * rank + k];
            negative[k] = peak < 0;
        }
        return negative;
    }();
    for (int k = 0; k < components; ++k) {
        const double sign = flip[k] ? -1.0 : 1.0;
        for (int64_t i = 0; i < dim; ++i)
            spectrum.vectors[static_cast<int64_t>(k) * dim + i] =
                sign * (transposed ? tall_vectors[i * components + k] : vt[i * rank + k]);
        spectrum.values[k] = singular[k] * singular[k] / static_cast<double>(count - 1);
    }
    result.total = centered.sum_of_squares() / static_cast<double>(count - 1);
    return result;
}
#else
Pca randomized_pca(const float*, int64_t, int, int, const Progress&) {
    fail(MIRROR_E_NO_DEVICE,
         "fitting a whitening needs LAPACK, which this build of Mirror has not (MIRROR_CPU=OFF)");
}
#endif

}  // namespace mirror
