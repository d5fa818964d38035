// See store.cpp.
#pragma once

#include "backend/backend.h"
#include "backend/cuda/gpu.h"

namespace mirror::cuda {

// precision FP32 or FP16: how rows are kept and multiplied.
std::unique_ptr<Store> make_store(std::shared_ptr<const Gpu> gpu,
                                  int regions,
                                  int dim,
                                  int32_t precision);

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
void score_rows(const std::shared_ptr<const Gpu>& gpu, const ScoreJob& job);
// By this kernel, which must apply.
void score_rows(const std::shared_ptr<const Gpu>& gpu, const ScoreJob& job, KernelId kernel);

}  // namespace mirror::cuda
