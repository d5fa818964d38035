// Operations on rows of descriptors, one at a time.
#include <cmath>

#include "backend/cuda/choose.h"
#include "backend/cuda/cublas.h"
#include "backend/cuda/cuda_backend.h"
#include "backend/cuda/scorer.h"

namespace mirror::cuda {

int64_t CudaBackend::find_beyond(const float* x, int64_t count, float limit) const {
    const Gpu::Scope scope(*gpu_);
    const DeviceBuffer first(gpu_, sizeof(uint64_t));
    uint64_t found = ~uint64_t{0};
    MIRROR_CU(*gpu_, cuMemsetD8Async, first.address(), 0xff, sizeof found, gpu_->stream());
    find_non_finite(*gpu_, {x, count, limit, first.as<unsigned long long>()});
    download(first, &found, sizeof found);
    return found == ~uint64_t{0} ? -1 : static_cast<int64_t>(found);
}

void CudaBackend::l2_normalize(const float* x, int64_t count, int dim, float* y) {
    const Gpu::Scope scope(*gpu_);
    in_tiles(x, count, dim, [&](int64_t first, int64_t rows, const DeviceBuffer& tile) {
        cuda::l2_normalize(*gpu_, {tile.as<const float>(), tile.as<float>(), rows, dim});
        download(tile, y + first * dim, static_cast<size_t>(rows * dim) * sizeof(float));
    });
}

void CudaBackend::covariance(const float* rows,
                             int64_t count,
                             int dim,
                             const Progress& progress,
                             double* mean,
                             double* result) {
    const Gpu::Scope scope(*gpu_);
    const auto report = [&](int64_t done) {
        const Gpu::Pause pause(*gpu_);
        progress.report(done);
    };
    report(0);
    const size_t square = checked_size("the covariance", dim, dim) * sizeof(double);
    const DeviceBuffer sums = zeros(static_cast<size_t>(dim) * sizeof(double)),
                       products = zeros(square);
    in_tiles(rows, count, dim, [&](int64_t, int64_t some, const DeviceBuffer& tile) {
        column_sums(*gpu_, {tile.as<const float>(), sums.as<double>(), some, dim});
    });
    download(sums, mean, static_cast<size_t>(dim) * sizeof(double));
    for (int i = 0; i < dim; ++i) mean[i] /= static_cast<double>(count);
    const DeviceBuffer means = upload(mean, static_cast<size_t>(dim) * sizeof(double));
    const double scale = 1.0 / static_cast<double>(count - 1);
    const std::unique_ptr<Cublas> cublas =
        family() == Family::cublas ? std::make_unique<Cublas>(gpu_) : nullptr;
    DeviceBuffer centered;
    in_tiles(rows, count, dim, [&](int64_t first, int64_t some, const DeviceBuffer& tile) {
        if (cublas) {
            centered.reserve(gpu_, checked_size("centred rows", some, dim) * sizeof(double));
            center(*gpu_,
                   {tile.as<const float>(),
                    means.as<const double>(),
                    centered.as<double>(),
                    some,
                    dim});
            cublas->symmetric(centered.as<const double>(), some, dim, scale, products.as<double>());
        } else {
            cuda::covariance(*gpu_,
                             {tile.as<const float>(),
                              means.as<const double>(),
                              products.as<double>(),
                              some,
                              dim,
                              scale});
        }
        gpu_->synchronize();
        report(first + some);
    });
    download(products, result, square);
    if (cublas)
        for (int64_t i = 0; i < dim; ++i)
            for (int64_t j = i + 1; j < dim; ++j) result[i * dim + j] = result[j * dim + i];
}

void CudaBackend::whiten(const float* rows,
                         int64_t count,
                         int dim,
                         const double* projection,
                         const double* offset,
                         int out_dim,
                         float* out) {
    const Gpu::Scope scope(*gpu_);
    const DeviceBuffer matrix =
        upload(projection, checked_size("the projection", out_dim, dim) * sizeof(double));
    const DeviceBuffer offsets = upload(offset, static_cast<size_t>(out_dim) * sizeof(double));
    double square = 0;
    for (int i = 0; i < out_dim; ++i) square += offset[i] * offset[i];
    const double residue =
        1e-13 * std::sqrt(square);  // as on the CPU: a row equal to the mean gives zeros
    DeviceBuffer projected;
    in_tiles(rows, count, dim, [&](int64_t first, int64_t some, const DeviceBuffer& tile) {
        const size_t bytes = checked_size("out", some, out_dim) * sizeof(float);
        projected.reserve(gpu_, bytes);
        cuda::whiten(*gpu_,
                     {tile.as<const float>(),
                      matrix.as<const double>(),
                      offsets.as<const double>(),
                      projected.as<float>(),
                      some,
                      dim,
                      out_dim,
                      residue});
        download(projected, out + first * out_dim, bytes);
    });
}

void CudaBackend::similarity(const float* queries,
                             int64_t nq,
                             const float* rows,
                             int64_t nd,
                             int regions,
                             int dim,
                             int32_t similarity,
                             int32_t metric,
                             float* scores) {
    const Gpu::Scope scope(*gpu_);
    const DeviceBuffer q =
        upload(queries, checked_size("queries", nq, regions, dim) * sizeof(float));
    const DeviceBuffer d = upload(rows, checked_size("rows", nd, regions, dim) * sizeof(float));
    const size_t bytes = checked_size("scores", nq, nd) * sizeof(float);
    const DeviceBuffer result(gpu_, bytes);
    ScoreJob job;
    job.queries = q.as<>(), job.nq = nq, job.rows = d.as<>(), job.nd = nd;
    job.regions = regions, job.dim = dim, job.similarity = similarity, job.metric = metric;
    job.scores = result.as<float>(), job.pitch = nd;
    Scorer(gpu_).run(job);
    download(result, scores, bytes);
}

void CudaBackend::topk(const float* scores,
                       int64_t rows,
                       int64_t n,
                       int k,
                       bool smallest,
                       int32_t* ids,
                       float* values) {
    const Gpu::Scope scope(*gpu_);
    const size_t results = checked_size("ids", rows, k);
    const DeviceBuffer in = upload(scores, checked_size("scores", rows, n) * sizeof(float));
    const DeviceBuffer best(gpu_, results * sizeof(int32_t)), kept(gpu_, results * sizeof(float));
    const DeviceBuffer workspace(
        gpu_, checked_size("workspace", rows, topk_workspace(k)) * sizeof(uint64_t));
    cuda::topk(*gpu_,
               {in.as<const float>(),
                best.as<int>(),
                kept.as<float>(),
                workspace.as<unsigned long long>(),
                rows,
                n,
                n,
                k,
                smallest});
    download(best, ids, results * sizeof(int32_t));
    download(kept, values, results * sizeof(float));
}

}  // namespace mirror::cuda
