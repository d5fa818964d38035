// The second implementation of similarity: cuBLAS writes the region-level products of a tile of
// images that fits the second-level cache, a kernel reduces them to image-level scores. Tile size:
// design for H200 (2,240 x 8,960 rows, 80 MB).
#include "backend/cuda/products.h"

#include <algorithm>

#include "backend/cuda/cublas.h"
#include "backend/cuda/launchers.h"
#include "backend/cuda/memory.h"

namespace mirror::cuda {
namespace {

constexpr int64_t kQueryRows = 2240, kDatabaseRows = 8960;

}  // namespace

void score_products(const std::shared_ptr<const Gpu>& gpu, const ScoreJob& job) {
    const Cublas cublas(gpu);
    const bool half = job.precision != MIRROR_PRECISION_FP32;
    const int64_t queries = std::min(job.nq, std::max<int64_t>(1, kQueryRows / job.regions));
    const int64_t images = std::min(job.nd, std::max<int64_t>(1, kDatabaseRows / job.regions));
    const int64_t pitch = images * job.regions;
    const int64_t image_bytes =
        static_cast<int64_t>(job.regions) * job.dim * element_bytes(job.precision);
    const DeviceBuffer products(gpu,
                                static_cast<size_t>(queries * job.regions * pitch) * sizeof(float));
    for (int64_t q = 0; q < job.nq; q += queries)
        for (int64_t d = 0; d < job.nd; d += images) {
            const int64_t nq = std::min(queries, job.nq - q), nd = std::min(images, job.nd - d);
            cublas.multiply(half,
                            static_cast<const std::byte*>(job.queries) + q * image_bytes,
                            static_cast<const std::byte*>(job.rows) + d * image_bytes,
                            nq * job.regions,
                            nd * job.regions,
                            job.dim,
                            products.as<float>(),
                            pitch);
            reduce_products(*gpu,
                            {products.as<const float>(),
                             job.scores + q * job.pitch + d,
                             nq,
                             nd,
                             job.pitch,
                             pitch,
                             job.regions,
                             job.similarity});
        }
    gpu->synchronize();  // the products are freed here
}

}  // namespace mirror::cuda
