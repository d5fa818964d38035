#include "retrieval/eigen.h"

#include <algorithm>
#include <cmath>

#include "base/checked.h"
#include "base/error.h"
#if MIRROR_HAS_CPU
#include "retrieval/lapack.h"
#endif

namespace mirror {

#if MIRROR_HAS_CPU
Spectrum largest_eigenpairs(std::vector<double>& matrix, int dim, int count) {
    std::vector<double> values(dim), vectors(checked_size("components", dim, count));
    std::vector<lapack_int> support(2 * static_cast<size_t>(count));
    lapack_int found = 0;
    // Symmetric, so row-major equals column-major; column-major vectors are the rows we want.
    const lapack_int status = LAPACKE_dsyevr(LAPACK_COL_MAJOR,
                                             'V',
                                             'I',
                                             'U',
                                             dim,
                                             matrix.data(),
                                             dim,
                                             0.0,
                                             0.0,
                                             dim - count + 1,
                                             dim,
                                             0.0,
                                             &found,
                                             values.data(),
                                             vectors.data(),
                                             dim,
                                             support.data());
    check_lapack(status, "dsyevr");
    if (found != count)
        fail(MIRROR_E_INTERNAL, "dsyevr found ", found, " of ", count, " eigenpairs");
    Spectrum spectrum{std::vector<double>(count), std::vector<double>(vectors.size())};
    for (int i = 0; i < count; ++i) {
        const double* from = vectors.data() + static_cast<int64_t>(count - 1 - i) * dim;
        double* to = spectrum.vectors.data() + static_cast<int64_t>(i) * dim;
        const double* peak = std::max_element(
            from, from + dim, [](double a, double b) { return std::fabs(a) < std::fabs(b); });
        const double sign = *peak < 0 ? -1.0 : 1.0;
        std::transform(from, from + dim, to, [sign](double x) { return sign * x; });
        spectrum.values[i] = values[count - 1 - i];
    }
    return spectrum;
}
#else
Spectrum largest_eigenpairs(std::vector<double>&, int, int) {
    fail(MIRROR_E_NO_DEVICE,
         "fitting a whitening needs LAPACK, which this build of Mirror has not (MIRROR_CPU=OFF)");
}
#endif

}  // namespace mirror
