#include "backend/cuda/scorer.h"

#include <algorithm>

#include "backend/cuda/launchers.h"
#include "backend/cuda/tensor_maps.h"

namespace mirror::cuda {
namespace {

// Rows of a cuBLAS product: the tile that stays in the second-level cache of an H200 (80 MB).
constexpr int64_t kQueryRows = 2240, kDatabaseRows = 8960;

}  // namespace

void Scorer::run(const ScoreJob& job) {
    if (job.nq == 0 || job.nd == 0) return;
    if (family() == Family::cublas && job.metric == MIRROR_METRIC_DOT) return run_products(job);
    const bool half = job.precision != MIRROR_PRECISION_FP32;
    const ScoreShape shape{half, job.regions, job.dim, job.similarity, job.metric};
    run(job, choose_score(gpu_->traits(), family(), shape));
}

void Scorer::run(const ScoreJob& job, KernelId kernel) {
    ScoreParams params{};
    params.q = job.queries, params.d = job.rows, params.scores = job.scores;
    params.nq = job.nq, params.nd = job.nd, params.pitch = job.pitch;
    params.regions = job.regions, params.dim = job.dim;
    params.similarity = job.similarity, params.metric = job.metric;
    if (score_needs_maps(kernel)) {
        CUtensorMap maps[kScoreMaps];
        write_score_maps(*gpu_, params, maps);
        maps_.reserve(gpu_, sizeof maps);
        copy(*gpu_, maps_.as<>(), maps, sizeof maps, gpu_->stream());
        gpu_->synchronize();  // maps goes away
        params.maps = maps_.as<>();
    }
    score(*gpu_, kernel, params);
}

// cuBLAS writes the region-level products of a tile of images, a kernel reduces them to image-level
// scores.
void Scorer::run_products(const ScoreJob& job) {
    if (!cublas_) cublas_ = std::make_unique<Cublas>(gpu_);
    const bool half = job.precision != MIRROR_PRECISION_FP32;
    const int64_t queries = std::min(job.nq, std::max<int64_t>(1, kQueryRows / job.regions));
    const int64_t images = std::min(job.nd, std::max<int64_t>(1, kDatabaseRows / job.regions));
    const int64_t pitch = images * job.regions;
    const int64_t image_bytes = int64_t{job.regions} * job.dim * element_bytes(job.precision);
    products_.reserve(gpu_, static_cast<size_t>(queries * job.regions * pitch) * sizeof(float));
    for (int64_t q = 0; q < job.nq; q += queries)
        for (int64_t d = 0; d < job.nd; d += images) {
            const int64_t nq = std::min(queries, job.nq - q), nd = std::min(images, job.nd - d);
            cublas_->multiply(half,
                              static_cast<const std::byte*>(job.queries) + q * image_bytes,
                              static_cast<const std::byte*>(job.rows) + d * image_bytes,
                              nq * job.regions,
                              nd * job.regions,
                              job.dim,
                              products_.as<float>(),
                              pitch);
            ReduceProductsParams params{};
            params.products = products_.as<const float>();
            params.scores = job.scores + q * job.pitch + d;
            params.nq = nq, params.nd = nd;
            params.pitch = job.pitch, params.product_pitch = pitch;
            params.regions = job.regions, params.similarity = job.similarity;
            reduce_products(*gpu_, params);
        }
}

}  // namespace mirror::cuda
