#include "retrieval/learned.h"

#include <algorithm>

#include "base/checked.h"
#include "base/error.h"
#include "retrieval/row_blocks.h"
#if MIRROR_HAS_CPU
#include <cblas.h>

#include "retrieval/lapack.h"
#endif

namespace mirror {

#if MIRROR_HAS_CPU
namespace {

void mirror_upper(std::vector<double>& matrix, int dim) {
    for (int64_t i = 0; i < dim; ++i)
        for (int64_t j = 0; j < i; ++j) matrix[i * dim + j] = matrix[j * dim + i];
}

// chol(S)^-1, lower triangular, zeros above; S [dim, dim] by its upper triangle.
std::vector<double> inverse_cholesky(const std::vector<double>& matrix, int dim) {
    std::vector<double> factor;
    for (double ridge = 0;; ridge = ridge == 0 ? 1e-10 : 10 * ridge) {
        factor = matrix;
        mirror_upper(factor, dim);
        for (int64_t i = 0; i < dim; ++i) factor[i * dim + i] += ridge;
        const lapack_int status = LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', dim, factor.data(), dim);
        if (status == 0) break;
        // A positive status is the minor that is not positive definite.
        if (status < 0) check_lapack(status, "dpotrf");
        if (!(ridge < 1e10)) fail(MIRROR_E_INTERNAL, "dpotrf refused every ridge");
    }
    check_lapack(LAPACKE_dtrtri(LAPACK_ROW_MAJOR, 'L', 'N', dim, factor.data(), dim), "dtrtri");
    for (int64_t i = 0; i < dim; ++i)
        std::fill_n(factor.begin() + i * dim + i + 1, dim - i - 1, 0.0);
    return factor;
}

}  // namespace

LearnedProjection learn_projection(
    const float* queries, const float* positives, int64_t count, int dim, int kept) {
    LearnedProjection result;
    result.mean = mean_of_rows(queries, count, dim);
    const size_t square = checked_size("covariance", dim, dim);
    std::vector<double> differences(square), whole(square);
    RowBlocks(queries, positives, count, dim, nullptr, {}).add_gram(differences.data());
    for (double& value : differences) value /= static_cast<double>(count);
    for (const float* rows : {queries, positives})
        RowBlocks(rows, nullptr, count, dim, result.mean.data(), {}).add_gram(whole.data());
    mirror_upper(whole, dim);

    const std::vector<double> w = inverse_cholesky(differences, dim);
    const auto multiply = [dim](const double* a, CBLAS_TRANSPOSE b_as, const double* b, int rows) {
        std::vector<double> c(static_cast<size_t>(rows) * dim);
        cblas_dgemm(CblasRowMajor,
                    CblasNoTrans,
                    b_as,
                    rows,
                    dim,
                    dim,
                    1.0,
                    a,
                    dim,
                    b,
                    dim,
                    0.0,
                    c.data(),
                    dim);
        return c;
    };
    const std::vector<double> half = multiply(w.data(), CblasNoTrans, whole.data(), dim);
    std::vector<double> projected = multiply(half.data(), CblasTrans, w.data(), dim);
    result.spectrum = largest_eigenpairs(projected, dim, kept);
    result.spectrum.vectors =
        multiply(result.spectrum.vectors.data(), CblasNoTrans, w.data(), kept);
    return result;
}
#else
LearnedProjection learn_projection(const float*, const float*, int64_t, int, int) {
    fail(MIRROR_E_NO_DEVICE,
         "learning a whitening needs LAPACK, which this build of Mirror has not (MIRROR_CPU=OFF)");
}
#endif

}  // namespace mirror
