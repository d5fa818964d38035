// The interface between the core and the hardware. One Backend per mirror_device. Arrays are
// float32, row-major, already validated by the caller: a backend computes, it does not check
// arguments. They lie in host memory, or in the device's own where on_device() says so. Operations
// exist singly (tests, hosts with their own network) and as two stateful objects that keep their
// data where the hardware wants it: a Pipeline (photographs -> descriptors) and a Store
// (descriptors of many images, exact search).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/progress.h"
#include "mirror/mirror.h"

namespace mirror {

struct Plan;  // plan/plan.h

struct PipelineSpec {
    int batch = 1;  // images run at once
    int height = 0, width = 0;
    float mean[3] = {};
    int32_t precision = MIRROR_PRECISION_FP32;
    int32_t pool = MIRROR_POOL_MAX;
    float gem_p = 3;  // of MIRROR_POOL_GEM
    int32_t fit = MIRROR_FIT_CROP;
    // One entry per scale, largest first. Scale i sees the input subsampled by 2^i.
    std::vector<std::shared_ptr<const Plan>> plans;
    std::vector<std::vector<mirror_region>> regions;
};

class Pipeline {
  public:
    virtual ~Pipeline() = default;
    // Images that one run takes at most: the spec's batch, times the devices that share the work.
    virtual int capacity() const = 0;
    // Images per call of the extractor that keep the device busy.
    virtual int preferred() const { return capacity(); }
    // count <= capacity() in all three. out [count, R, D]. The first two may return before `out` is
    // written; then finish() waits for it, and drop() gives it up (the caller's memory is going
    // away).
    virtual void run_images(const mirror_image* images, int count, float* out) = 0;
    virtual void run_input(const float* input, int count, float* out) = 0;
    // First scale only: out [count, map_h, map_w, D].
    virtual void run_map(const float* input, int count, float* out) = 0;
    virtual void finish() {}
    virtual void drop() noexcept {}
    virtual int64_t arena_bytes() const = 0;
    virtual int64_t weight_bytes() const = 0;
};

struct SearchJob {
    const float* queries = nullptr;  // [count, R, D]
    int64_t count = 0;
    int k = 0;  // <= size of the store
    int32_t similarity = MIRROR_SIMILARITY_PR_MAC;
    int32_t metric = MIRROR_METRIC_DOT;
    Progress progress;
    int32_t* ids = nullptr;  // [count, k]
    float* scores = nullptr;
};

class Store {
  public:
    virtual ~Store() = default;
    // All or nothing.
    virtual void add(const float* rows, int64_t count) = 0;
    virtual int64_t size() const = 0;
    // Keeps the first `size` images.
    virtual void truncate(int64_t size) = 0;
    // The rows of one image, [R, D], copied to the host.
    virtual void read(int64_t image, float* out) const = 0;
    virtual void search(const SearchJob& job) const = 0;
};

struct Conv2dArgs {
    mirror_window window{};
    const float* x = nullptr;  // [n, h, w, in_c]
    int n = 0, h = 0, w = 0, in_c = 0, out_c = 0;
    const float* weights = nullptr;   // [kh, kw, in_c, out_c]
    const float* bias = nullptr;      // [out_c] or null
    const float* residual = nullptr;  // [n, oh, ow, out_c] or null
    bool relu = false;
    int32_t precision = MIRROR_PRECISION_FP32;
    float* y = nullptr;
};

class Backend {
  public:
    virtual ~Backend() = default;
    virtual mirror_device_info info() const = 0;

    virtual std::unique_ptr<Pipeline> make_pipeline(PipelineSpec spec) = 0;
    // precision: how descriptors are kept and multiplied; FP32, or another of info().precisions.
    virtual std::unique_ptr<Store> make_store(int regions, int dim, int32_t precision) = 0;

    // Pixels of plans for this backend start at multiples of this many channels.
    virtual int channel_alignment(int32_t precision) const = 0;
    // Whether `pointer` is to be read and written by the device. INVALID_ARGUMENT where it lies in
    // another GPU's memory, in device memory without the alignment, or on one of several devices.
    virtual bool on_device(const void* pointer, size_t alignment) const = 0;
    bool on_device(const float* pointer) const { return on_device(pointer, alignof(float)); }
    // The refusals alone.
    template <class... T>
    void check_pointers(const T*... pointers) const {
        (on_device(pointers, alignof(T)), ...);
    }
    // *x, wherever it lies.
    virtual float value(const float* x) const = 0;
    // Index of the first NaN or value beyond +-limit in x [count] on the device, -1: none.
    virtual int64_t find_beyond(const float* x, int64_t count, float limit) const = 0;

    virtual void preprocess(const mirror_image& image,
                            int height,
                            int width,
                            int32_t fit,
                            const float* mean,
                            float* out) = 0;
    virtual void conv2d(const Conv2dArgs& args) = 0;
    virtual void pool2d(const mirror_window& window,
                        int32_t pool,
                        const float* x,
                        int n,
                        int h,
                        int w,
                        int c,
                        float* y) = 0;
    virtual void lrn(const float* x,
                     int64_t rows,
                     int c,
                     int radius,
                     float alpha,
                     float beta,
                     float bias,
                     float* y) = 0;
    // out: image i at out + i * out_stride floats, [regions, c] each.
    virtual void region_pool(const float* maps,
                             int n,
                             int h,
                             int w,
                             int c,
                             std::span<const mirror_region> regions,
                             int32_t pool,
                             float gem_p,
                             float* out,
                             int64_t out_stride) = 0;
    virtual void l2_normalize(const float* x, int64_t count, int dim, float* y) = 0;
    // mean [dim] and covariance [dim, dim] (both triangles, divided by count - 1) in double.
    virtual void covariance(const float* rows,
                            int64_t count,
                            int dim,
                            const Progress& progress,
                            double* mean,
                            double* covariance) = 0;
    // out [count, out_dim] = L2(rows * projection^T - offset); projection [out_dim, dim], offset
    // [out_dim].
    virtual void whiten(const float* rows,
                        int64_t count,
                        int dim,
                        const double* projection,
                        const double* offset,
                        int out_dim,
                        float* out) = 0;
    // scores [nq, nd].
    virtual void similarity(const float* queries,
                            int64_t nq,
                            const float* rows,
                            int64_t nd,
                            int regions,
                            int dim,
                            int32_t similarity,
                            int32_t metric,
                            float* scores) = 0;
    virtual void topk(const float* scores,
                      int64_t rows,
                      int64_t n,
                      int k,
                      bool smallest,
                      int32_t* ids,
                      float* values) = 0;
    // c [m, n] = a [m, k] b[n, k]^T.
    virtual void gemm(const float* a,
                      const float* b,
                      int64_t m,
                      int64_t n,
                      int64_t k,
                      int32_t precision,
                      float* c) = 0;
};

// "auto", "cpu", "cuda", "cuda:N" or "cuda:N,M,..."; NO_DEVICE where this build or machine has
// none.
std::shared_ptr<Backend> make_backend(const char* name, int threads);
// One GPU through a host's own context and stream.
std::shared_ptr<Backend> make_cuda_backend(int ordinal, void* context, void* stream);

}  // namespace mirror
