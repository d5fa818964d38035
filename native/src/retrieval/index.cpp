#include "retrieval/index.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "backend/cpu/simd.h"
#include "base/checked.h"
#include "base/dot.h"
#include "retrieval/finite.h"

namespace mirror {
namespace {

// Index of the row of `rows` [count, dim] with the largest dot product, the lowest on ties.
MIRROR_SIMD int most_similar(const float* row, const float* rows, int count, int dim) {
    int best = 0;
    double largest = dot(row, rows, dim);
    for (int i = 1; i < count; ++i) {
        const double product = dot(row, rows + static_cast<int64_t>(i) * dim, dim);
        if (product > largest) largest = product, best = i;
    }
    return best;
}

}  // namespace

void require_descriptor(int32_t regions, int32_t dim) {
    require(regions >= 1 && regions <= kMaxRegionsPerImage,
            "regions is ",
            regions,
            ", expected 1..",
            kMaxRegionsPerImage);
    require(
        dim >= 1 && dim <= kMaxDescriptorDim, "dim is ", dim, ", expected 1..", kMaxDescriptorDim);
}

void require_similarity(int32_t similarity, int32_t metric) {
    require(similarity == MIRROR_SIMILARITY_PR_MAC || similarity == MIRROR_SIMILARITY_AML,
            "similarity is ",
            similarity,
            ", expected 0 (PR_MAC) or 1 (AML)");
    require(metric == MIRROR_METRIC_DOT || metric == MIRROR_METRIC_EUCLIDEAN,
            "metric is ",
            metric,
            ", expected 0 (DOT) or 1 (EUCLIDEAN)");
}

Index::Index(std::shared_ptr<Backend> backend, int32_t regions, int32_t dim, int32_t precision)
    : backend_(std::move(backend)), regions_(regions), dim_(dim), precision_(precision) {
    require_descriptor(regions, dim);
    const mirror_device_info device = backend_->info();
    require(precision == MIRROR_PRECISION_FP32 ||
                (precision == MIRROR_PRECISION_FP16 && device.kind == MIRROR_DEVICE_CUDA),
            "precision is ",
            precision,
            ", which an index on ",
            device.name,
            " does not support; use 0 (fp32), or 2 (fp16) on a GPU");
    store_ = backend_->make_store(regions, dim, precision);
}

void Index::add(const float* rows, int64_t count) {
    checked_size("rows", count, regions_, dim_);
    constexpr int64_t limit = std::numeric_limits<int32_t>::max();
    require(count <= limit - size(),
            "adding ",
            count,
            " images to ",
            size(),
            " exceeds ",
            limit,
            ", the most an index holds");
    require_finite(*backend_, rows, count, regions_, dim_, "rows:", largest());
    store_->add(rows, count);
}

void Index::search(const float* queries,
                   int64_t count,
                   const mirror_search_options& options,
                   int32_t* ids,
                   float* scores) const {
    checked_size("queries", count, regions_, dim_);
    require(options.top >= 1, "options.top is ", options.top, ", expected >= 1");
    require_similarity(options.similarity, options.metric);
    require(precision_ == MIRROR_PRECISION_FP32 || options.metric == MIRROR_METRIC_DOT,
            "options.metric is 1 (EUCLIDEAN), which an index in half precision does not support: "
            "create it with precision 0 (fp32)");
    require(size() > 0, "the index is empty: add images before searching");
    require_finite(*backend_, queries, count, regions_, dim_, "queries:", largest());
    backend_->check_pointers(ids, scores);
    SearchJob job;
    job.queries = queries;
    job.count = count;
    job.k = static_cast<int>(std::min<int64_t>(options.top, size()));
    job.similarity = options.similarity;
    job.metric = options.metric;
    job.progress = Progress(options.progress, count);
    job.ids = ids;
    job.scores = scores;
    store_->search(job);
}

void Index::check_expansion(const float* queries,
                            int64_t count,
                            const int32_t* ids,
                            const float* scores,
                            int32_t k,
                            const mirror_expand_options& options,
                            const float* out) const {
    checked_size("queries", count, regions_, dim_);
    require(k >= 1, "k is ", k, ", expected >= 1");
    require(
        options.neighbours >= 0, "options.neighbours is ", options.neighbours, ", expected >= 0");
    require(options.alpha >= 0 && std::isfinite(options.alpha),
            "options.alpha is ",
            options.alpha,
            ", expected a number >= 0");
    require(options.pairing == MIRROR_PAIRING_SAME || options.pairing == MIRROR_PAIRING_BEST,
            "options.pairing is ",
            options.pairing,
            ", expected 0 (SAME) or 1 (BEST)");
    require(options.signed_weights == 0 || options.signed_weights == 1,
            "options.signed_weights is ",
            options.signed_weights,
            ", expected 0 or 1");
    require(options.signed_weights == 0 || options.alpha == 1,
            "options.alpha is ",
            options.alpha,
            ", but signed weights have no power: use alpha 1, or signed_weights 0");
    checked_size("ids", count, k);
    const auto require_host = [&](const void* pointer, const char* name) {
        require(!backend_->on_device(pointer, 1),
                name,
                " lies in device memory, but query expansion is computed on the host: copy it "
                "there");
    };
    require_host(queries, "queries"), require_host(ids, "ids");
    require_host(scores, "scores"), require_host(out, "out");
    require_finite(*backend_, queries, count, regions_, dim_, "queries:");
    for (int64_t q = 0; q < count; ++q)
        for (int j = 0; j < std::min(k, options.neighbours); ++j) {
            const int32_t id = ids[q * k + j];
            require(id >= 0 && id < size(),
                    "ids: query ",
                    q,
                    " names image ",
                    id,
                    ", the index holds ",
                    size());
            require(std::isfinite(scores[q * k + j]),
                    "scores: query ",
                    q,
                    " holds ",
                    scores[q * k + j],
                    " at ",
                    j,
                    ", expected finite values");
        }
}

void Index::expand(const float* queries,
                   int64_t count,
                   const int32_t* ids,
                   const float* scores,
                   int32_t k,
                   const mirror_expand_options& options,
                   float* out) const {
    check_expansion(queries, count, ids, scores, k, options, out);
    const int64_t image_floats = static_cast<int64_t>(regions_) * dim_;
    std::vector<double> sums(static_cast<size_t>(image_floats));
    std::vector<float> neighbour(static_cast<size_t>(image_floats));
    std::vector<int> partner(static_cast<size_t>(regions_));
    std::iota(partner.begin(), partner.end(), 0);
    const bool best = options.pairing == MIRROR_PAIRING_BEST;
    for (int64_t q = 0; q < count; ++q) {
        const float* query = queries + q * image_floats;
        std::copy_n(query, image_floats, sums.begin());
        for (int j = 0; j < std::min(k, options.neighbours); ++j) {
            store_->read(ids[q * k + j], neighbour.data());
            for (int r = 0; best && r < regions_; ++r)
                partner[r] = most_similar(
                    query + static_cast<int64_t>(r) * dim_, neighbour.data(), regions_, dim_);
            const double share = static_cast<double>(scores[q * k + j]) / regions_;
            const double weight =
                options.signed_weights ? share : std::pow(std::max(share, 0.0), options.alpha);
            for (int r = 0; r < regions_; ++r) {
                const float* from = neighbour.data() + static_cast<int64_t>(partner[r]) * dim_;
                double* to = sums.data() + static_cast<int64_t>(r) * dim_;
                for (int i = 0; i < dim_; ++i) to[i] += weight * from[i];
            }
        }
        for (int r = 0; r < regions_; ++r) {
            const double* region = sums.data() + static_cast<int64_t>(r) * dim_;
            double square = 0;
            for (int i = 0; i < dim_; ++i) square += region[i] * region[i];
            const double norm = std::sqrt(square);
            float* target = out + q * image_floats + static_cast<int64_t>(r) * dim_;
            for (int i = 0; i < dim_; ++i)
                target[i] = norm > 0 ? static_cast<float>(region[i] / norm) : 0.0f;
        }
    }
}

}  // namespace mirror
