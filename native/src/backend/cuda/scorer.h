// Scores of images whose descriptors lie on one GPU, by the kernel that suits them; owns what the
// kernels need beside the rows.
#pragma once

#include "backend/cuda/choose.h"
#include "backend/cuda/cublas.h"
#include "backend/cuda/memory.h"

namespace mirror::cuda {

// Scores [nq, nd] on the device, of rows that already lie there in `precision`; pitch in floats.
struct ScoreJob {
    const void* queries = nullptr;
    const void* rows = nullptr;
    int64_t nq = 0, nd = 0;
    int regions = 1, dim = 1;
    int32_t precision = MIRROR_PRECISION_FP32, similarity = 0, metric = 0;
    float* scores = nullptr;
    int64_t pitch = 0;
};

class Scorer {
  public:
    explicit Scorer(std::shared_ptr<const Gpu> gpu) : gpu_(std::move(gpu)) {}

    // All three queue their work. By what MIRROR_KERNELS and the shape ask for:
    void run(const ScoreJob& job);
    // By this kernel, which must apply.
    void run(const ScoreJob& job, KernelId kernel);
    // The dot metric by cuBLAS; scores equal those of the fused kernels within rounding.
    void run_products(const ScoreJob& job);

  private:
    std::shared_ptr<const Gpu> gpu_;
    DeviceBuffer maps_;               // Hopper kernels: tensor maps of the last job
    std::unique_ptr<Cublas> cublas_;  // made when first needed
    DeviceBuffer products_;
};

}  // namespace mirror::cuda
