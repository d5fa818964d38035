#include "retrieval/whitening.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/checked.h"
#include "model/safetensors.h"
#include "retrieval/eigen.h"
#include "retrieval/finite.h"
#include "retrieval/index.h"
#include "retrieval/learned.h"
#include "retrieval/randomized.h"
#if MIRROR_HAS_CPU
#include "backend/cpu/cpu_backend.h"
#endif

namespace mirror {
namespace {

// BLAS and LAPACK on the host use the device's threads while it lives.
#if MIRROR_HAS_CPU
using HostThreads = ThreadScope;
#else
struct HostThreads {
    explicit HostThreads(int) {}
};
#endif

// A variance below this share of the largest is rounding noise of the covariance, not a direction
// of the data.
constexpr double kRankTolerance = 1e-12;

// scikit-learn: searchsorted(cumsum(ratios), variance, side="right") + 1.
int count_for_variance(const std::vector<double>& values, double total, double variance) {
    double sum = 0;
    for (size_t i = 0; i < values.size(); ++i) {
        sum += values[i] / total;
        if (sum > variance) return static_cast<int>(i) + 1;
    }
    return static_cast<int>(values.size());
}

void require_all_finite(const std::vector<double>& values, const char* what) {
    for (size_t i = 0; i < values.size(); ++i)
        require(
            std::isfinite(values[i]), what, '[', i, "] is ", values[i], ", expected finite values");
}

// samples: what varies, "rows" or "pairs"; option: the argument that asks for fewer dimensions.
void require_rank(
    const Spectrum& spectrum, int kept, int64_t count, const char* samples, const char* option) {
    const double floor = kRankTolerance * spectrum.values[0];
    int rank = 0;
    while (rank < kept && spectrum.values[rank] > floor) ++rank;
    require(rank == kept,
            "cannot whiten to ",
            kept,
            " dimensions: the ",
            count,
            ' ',
            samples,
            " vary in ",
            rank,
            " directions only; use ",
            option,
            " <= ",
            rank,
            " or more ",
            samples);
}

void require_host(const Backend& backend, const float* pointer, const char* name) {
    require(!backend.on_device(pointer),
            name,
            " lies in device memory, but this whitening is fitted on the host: copy it there");
}

Pca exact_pca(Backend& backend,
              const float* rows,
              int64_t count,
              int32_t dim,
              const mirror_whitening_options& options) {
    Pca pca;
    pca.mean.resize(dim);
    std::vector<double> covariance(checked_size("covariance", dim, dim));
    backend.covariance(
        rows, count, dim, Progress(options.progress, count), pca.mean.data(), covariance.data());
    for (int64_t i = 0; i < dim; ++i) pca.total += covariance[i * dim + i];
    if (pca.total > 0)
        pca.spectrum = largest_eigenpairs(covariance, dim, options.dim > 0 ? options.dim : dim);
    return pca;
}

}  // namespace

Whitening::Whitening(std::vector<double> mean,
                     std::vector<double> components,
                     std::vector<double> variances,
                     double explained)
    : mean_(std::move(mean)),
      components_(std::move(components)),
      variances_(std::move(variances)),
      explained_(explained) {
    const size_t d = mean_.size(), n = variances_.size();
    require_all_finite(mean_, "mean");
    require_all_finite(components_, "components");
    require_all_finite(variances_, "variances");
    projection_.resize(components_.size());
    offset_.resize(n);
    for (size_t i = 0; i < n; ++i) {
        require(variances_[i] > 0, "variances[", i, "] is ", variances_[i], ", expected > 0");
        const double scale = 1.0 / std::sqrt(variances_[i]);
        for (size_t j = 0; j < d; ++j) projection_[i * d + j] = components_[i * d + j] * scale;
        offset_[i] =
            std::inner_product(mean_.begin(), mean_.end(), projection_.begin() + i * d, 0.0);
    }
    require_all_finite(projection_, "components / sqrt(variances)");
    require_all_finite(offset_, "projected mean");
}

Whitening Whitening::fit(Backend& backend,
                         const float* rows,
                         int64_t count,
                         int32_t dim,
                         const mirror_whitening_options& options) {
    require_descriptor(1, dim);
    require(count >= 2, "count is ", count, " rows, expected >= 2");
    checked_size("rows", count, dim);
    const int64_t limit = std::min<int64_t>(count, dim);
    require(options.dim >= 0 && options.dim <= limit,
            "options.dim is ",
            options.dim,
            ", expected 1..",
            limit,
            " for ",
            count,
            " rows of ",
            dim,
            " values (0: choose by variance)");
    require(options.dim > 0 || (options.variance > 0 && options.variance < 1),
            "options.variance is ",
            options.variance,
            ", expected between 0 and 1 where options.dim is 0");
    require(options.solver == MIRROR_SOLVER_EXACT || options.solver == MIRROR_SOLVER_RANDOMIZED ||
                options.solver == MIRROR_SOLVER_AUTO,
            "options.solver is ",
            options.solver,
            ", expected 0 (EXACT), 1 (RANDOMIZED) or 2 (AUTO)");
    require_finite(backend, rows, count, 0, dim, "rows:");

    const HostThreads scope(backend.info().threads);
    const bool randomized =
        options.dim > 0 &&
        (options.solver == MIRROR_SOLVER_RANDOMIZED ||
         (options.solver == MIRROR_SOLVER_AUTO && auto_is_randomized(count, dim, options.dim)));
    Pca pca;
    if (randomized) {
        require_host(backend, rows, "rows");
        const int64_t units = count * randomized_passes(count, dim, options.dim);
        pca = randomized_pca(rows, count, dim, options.dim, Progress(options.progress, units));
    } else {
        pca = exact_pca(backend, rows, count, dim, options);
    }
    Spectrum& spectrum = pca.spectrum;
    const double total = pca.total;
    require(total > 0, "all ", count, " rows are equal: there is no variance to whiten");
    const int kept = options.dim > 0 ? options.dim
                                     : count_for_variance(spectrum.values, total, options.variance);
    require_rank(spectrum, kept, count, "rows", "dim");
    spectrum.values.resize(kept);
    spectrum.vectors.resize(static_cast<size_t>(kept) * dim);
    const double explained =
        std::accumulate(spectrum.values.begin(), spectrum.values.end(), 0.0) / total;
    return Whitening(std::move(pca.mean),
                     std::move(spectrum.vectors),
                     std::move(spectrum.values),
                     std::min(explained, 1.0));
}

Whitening Whitening::learn(Backend& backend,
                           const float* queries,
                           const float* positives,
                           int64_t count,
                           int32_t dim,
                           int32_t output_dim) {
    require_descriptor(1, dim);
    require(count >= 2, "count is ", count, " pairs, expected >= 2");
    checked_size("queries", count, dim);
    require(output_dim >= 1 && output_dim <= dim,
            "output_dim is ",
            output_dim,
            ", expected 1..",
            dim,
            " (dim)");
    require(count >= dim,
            "count is ",
            count,
            " pairs, expected >= ",
            dim,
            " (dim): the differences of fewer do not span the space; use more pairs");
    require_host(backend, queries, "queries");
    require_host(backend, positives, "positives");
    require_finite(backend, queries, count, 0, dim, "queries:");
    require_finite(backend, positives, count, 0, dim, "positives:");
    const HostThreads scope(backend.info().threads);
    LearnedProjection learned = learn_projection(queries, positives, count, dim, output_dim);
    require(learned.spectrum.values[0] > 0,
            "the rows of all ",
            count,
            " pairs are equal: there is nothing to learn from");
    require_rank(learned.spectrum, output_dim, count, "pairs", "output_dim");
    return Whitening(std::move(learned.mean),
                     std::move(learned.spectrum.vectors),
                     std::vector<double>(output_dim, 1.0),
                     std::numeric_limits<double>::quiet_NaN());
}

Whitening Whitening::load(const std::string& path) {
    const SafeTensors file = SafeTensors::open(path);
    const Tensor& mean = file.at("mean");
    const Tensor& components = file.at("components");
    const Tensor& variances = file.at("variances");
    const auto bad = [&](const Tensor& tensor, const char* expected) {
        fail(MIRROR_E_FORMAT,
             path,
             ": ",
             tensor.name,
             " has shape ",
             shape_text(tensor.shape),
             ", expected ",
             expected);
    };
    if (mean.shape.size() != 1 || mean.shape[0] < 1 || mean.shape[0] > kMaxDescriptorDim)
        bad(mean, "[D] with 1 <= D <= 65536");
    if (variances.shape.size() != 1 || variances.shape[0] < 1 || variances.shape[0] > mean.shape[0])
        bad(variances, "[n] with 1 <= n <= D");
    const int64_t shape[] = {variances.shape[0], mean.shape[0]};
    file.expect_shape(components, shape);
    double explained = std::numeric_limits<double>::quiet_NaN();
    const std::string recorded = file.metadata("explained");
    if (!recorded.empty()) {
        const char* end = recorded.data() + recorded.size();
        const auto [stop, error] = std::from_chars(recorded.data(), end, explained);
        if (error != std::errc() || stop != end || !(explained >= 0 && explained <= 1))
            fail(MIRROR_E_FORMAT,
                 path,
                 ": metadata explained is \"",
                 recorded,
                 "\", expected a number 0..1");
    }
    try {
        return Whitening(file.values<double>(mean),
                         file.values<double>(components),
                         file.values<double>(variances),
                         explained);
    } catch (const Error& error) {
        if (error.status() != MIRROR_E_INVALID_ARGUMENT) throw;
        fail(MIRROR_E_FORMAT, path, ": ", error.what());  // values of a file, not of a caller
    }
}

void Whitening::save(const std::string& path) const {
    const int64_t d = input_dim(), n = output_dim();
    const Tensor tensors[] = {
        {"components", "F64", {n, d}, std::as_bytes(std::span(components_))},
        {"mean", "F64", {d}, std::as_bytes(std::span(mean_))},
        {"variances", "F64", {n}, std::as_bytes(std::span(variances_))},
    };
    std::map<std::string, std::string> metadata{{"kind", "whitening"}};
    if (std::isfinite(explained_)) {
        char digits[32];
        const auto written = std::to_chars(digits, digits + sizeof digits, explained_);
        metadata["explained"] = std::string(digits, written.ptr);
    }
    write_safetensors(path, tensors, metadata);
}

void Whitening::apply(Backend& backend, const float* rows, int64_t count, float* out) const {
    checked_size("rows", count, input_dim());
    require_finite(backend, rows, count, 0, input_dim(), "rows:");
    backend.check_pointers(out);
    if (count > 0)
        backend.whiten(
            rows, count, input_dim(), projection_.data(), offset_.data(), output_dim(), out);
}

}  // namespace mirror
