// The CPU backend: oneDNN for networks and GEMMs, OpenBLAS/LAPACK for double-precision algebra,
// OpenMP for the rest. One class, its methods implemented by subject: conv.cpp (conv2d, pool2d,
// lrn), pipeline.cpp (planned networks), image.cpp (preprocess), regions.cpp (region_pool),
// rows.cpp (l2_normalize, covariance, whiten), search.cpp (store, similarity, topk), gemm.cpp.
#pragma once

#include "backend/backend.h"

namespace mirror {

class CpuBackend final : public Backend {
  public:
    explicit CpuBackend(int threads);  // threads >= 1

    mirror_device_info info() const override;
    std::unique_ptr<Pipeline> make_pipeline(PipelineSpec spec) override;
    std::unique_ptr<Store> make_store(int regions, int dim, int32_t precision) override;
    int channel_alignment(int32_t) const override { return 1; }
    bool on_device(const void*, size_t) const override { return false; }
    float value(const float* x) const override { return *x; }
    int64_t find_beyond(const float*, int64_t, float) const override { return -1; }
    void preprocess(const mirror_image&,
                    int height,
                    int width,
                    int32_t fit,
                    const float* mean,
                    float* out) override;
    void conv2d(const Conv2dArgs& args) override;
    void pool2d(const mirror_window&,
                int32_t pool,
                const float* x,
                int n,
                int h,
                int w,
                int c,
                float* y) override;
    void lrn(const float* x,
             int64_t rows,
             int c,
             int radius,
             float alpha,
             float beta,
             float bias,
             float* y) override;
    void region_pool(const float* maps,
                     int n,
                     int h,
                     int w,
                     int c,
                     std::span<const mirror_region> regions,
                     int32_t pool,
                     float gem_p,
                     float* out,
                     int64_t out_stride) override;
    void l2_normalize(const float* x, int64_t count, int dim, float* y) override;
    void covariance(const float* rows,
                    int64_t count,
                    int dim,
                    const Progress& progress,
                    double* mean,
                    double* covariance) override;
    void whiten(const float* rows,
                int64_t count,
                int dim,
                const double* projection,
                const double* offset,
                int out_dim,
                float* out) override;
    void similarity(const float* queries,
                    int64_t nq,
                    const float* rows,
                    int64_t nd,
                    int regions,
                    int dim,
                    int32_t similarity,
                    int32_t metric,
                    float* scores) override;
    void topk(const float* scores,
              int64_t rows,
              int64_t n,
              int k,
              bool smallest,
              int32_t* ids,
              float* values) override;
    void gemm(const float* a,
              const float* b,
              int64_t m,
              int64_t n,
              int64_t k,
              int32_t precision,
              float* c) override;

  private:
    int threads_;
};

// Makes the calling thread's OpenMP regions, oneDNN and OpenBLAS use `threads` while it lives; 0
// (a GPU's) leaves their number as it is.
// OpenMP keeps that number per thread, so every method of the backend opens with one.
class ThreadScope {
  public:
    explicit ThreadScope(int threads);
    ~ThreadScope();
    ThreadScope(const ThreadScope&) = delete;
    ThreadScope& operator=(const ThreadScope&) = delete;

  private:
    int previous_;
};

}  // namespace mirror
