// The CUDA backend. Single operations copy what lies on the host to the device and back
// (operations.cpp, rows.cpp); what runs at full speed keeps its data there (pipeline.cpp,
// store.cpp).
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "backend/backend.h"
#include "backend/cuda/launchers.h"
#include "backend/cuda/memory.h"
#include "base/checked.h"
#include "plan/plan.h"

namespace mirror::cuda {

// NO_DEVICE where there is no usable driver or GPU.
std::shared_ptr<Backend> make_backend(const GpuOptions& options);

class CudaBackend final : public Backend {
  public:
    explicit CudaBackend(const GpuOptions& options);
    mirror_device_info info() const override;
    int channel_alignment(int32_t precision) const override { return alignment(precision); }
    std::unique_ptr<Pipeline> make_pipeline(PipelineSpec spec) override;
    std::unique_ptr<Store> make_store(int regions, int dim, int32_t precision) override;
    bool on_device(const void* pointer, size_t alignment) const override {
        const Gpu::Scope scope(*gpu_);
        return cuda::on_device(*gpu_, pointer, alignment);
    }
    float value(const float* x) const override { return host(x, 1)[0]; }
    int64_t find_beyond(const float* x, int64_t count, float limit) const override;
    void preprocess(const mirror_image& image,
                    int height,
                    int width,
                    int32_t fit,
                    const float* mean,
                    float* out) override;
    void conv2d(const Conv2dArgs& args) override;
    void pool2d(const mirror_window& window,
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
                    double* result) override;
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
    // A convolution over one row of m pixels.
    void gemm(const float* a,
              const float* b,
              int64_t m,
              int64_t n,
              int64_t k,
              int32_t precision,
              float* c) override;

  private:
    static constexpr int64_t kTileBytes = int64_t{256} << 20;  // of rows on the device at once

    static int output(int extent, int kernel, int stride, int before, int after) {
        return static_cast<int>(window_output(extent, kernel, stride, before, after));
    }

    DeviceBuffer zeros(size_t bytes) const {
        DeviceBuffer buffer(gpu_, bytes);
        MIRROR_CU(*gpu_, cuMemsetD8Async, buffer.address(), 0, bytes, gpu_->stream());
        return buffer;
    }
    DeviceBuffer upload(const void* data, size_t bytes) const {
        return cuda::upload(gpu_, data, bytes);
    }
    void download(const DeviceBuffer& buffer, void* data, size_t bytes) const {
        copy(*gpu_, data, buffer.as<>(), bytes, gpu_->stream());
        gpu_->synchronize();
    }
    // A copy on the host of values that may lie on the device.
    std::vector<float> host(const float* data, size_t count) const {
        const Gpu::Scope scope(*gpu_);
        std::vector<float> values(count);
        copy(*gpu_, values.data(), data, count * sizeof(float), gpu_->stream());
        gpu_->synchronize();
        return values;
    }
    // rows of c floats as rows of `pitch` elements of a precision.
    DeviceBuffer packed(
        int32_t precision, const float* data, int64_t rows, int c, int pitch) const {
        const DeviceBuffer dense =
            upload(data, checked_size("activations", rows, c) * sizeof(float));
        DeviceBuffer result(gpu_,
                            checked_size("activations", rows, pitch) *
                                static_cast<size_t>(element_bytes(precision)));
        // One image of one row: sizes beyond an int are cut into rows of pixels.
        PackParams params{dense.as<const float>(), 1, 1, static_cast<int>(rows), c, {}};
        require(
            rows <= INT32_MAX, "activations have ", rows, " pixels, expected at most ", INT32_MAX);
        params.out = {result.as<>(),
                      rows * pitch,
                      1,
                      static_cast<int>(rows),
                      static_cast<int>(rows),
                      pitch,
                      0,
                      0,
                      1};
        pack(*gpu_, precision, params);
        gpu_->synchronize();  // dense is freed here
        return result;
    }
    void unpacked(int32_t precision,
                  const DeviceBuffer& data,
                  int64_t rows,
                  int pitch,
                  int c,
                  float* out) const {
        const size_t bytes = checked_size("activations", rows, c) * sizeof(float);
        const DeviceBuffer dense(gpu_, bytes);
        unpack(*gpu_, precision, {data.as<>(), dense.as<float>(), rows, pitch, c});
        download(dense, out, bytes);
    }
    // body(first row, rows, tile) with tiles of the rows on the device, one after the other.
    template <class Body>
    void in_tiles(const float* rows, int64_t count, int dim, Body&& body) const {
        const int64_t tile = std::clamp<int64_t>(
            kTileBytes / (static_cast<int64_t>(dim) * static_cast<int64_t>(sizeof(float))),
            1,
            std::max<int64_t>(count, 1));
        DeviceBuffer buffer(gpu_, checked_size("rows", tile, dim) * sizeof(float));
        for (int64_t first = 0; first < count; first += tile) {
            const int64_t some = std::min(tile, count - first);
            copy(*gpu_,
                 buffer.as<>(),
                 rows + first * dim,
                 static_cast<size_t>(some * dim) * sizeof(float),
                 gpu_->stream());
            body(first, some, buffer);
        }
        gpu_->synchronize();
    }

    std::shared_ptr<Gpu> gpu_;
};

}  // namespace mirror::cuda
