#include "backend/cuda/cuda_backend.h"

#include <algorithm>
#include <cstring>

#include "backend/cuda/choose.h"
#include "backend/cuda/cublas.h"
#include "backend/cuda/launchers.h"
#include "backend/cuda/memory.h"
#include "backend/cuda/pipeline.h"
#include "backend/cuda/store.h"
#include "backend/cuda/tensor_maps.h"
#include "backend/cuda/weights.h"
#include "backend/resize.h"
#include "base/checked.h"
#include "base/log.h"
#include "plan/plan.h"

namespace mirror::cuda {
namespace {

constexpr int64_t kTileBytes = int64_t{256} << 20;  // of rows on the device at once

class CudaBackend final : public Backend {
  public:
    explicit CudaBackend(const GpuOptions& options) : gpu_(Gpu::open(options)) {
        if (const std::string shortfall = family_shortfall(gpu_->traits(), family());
            !shortfall.empty())
            log(MIRROR_LOG_WARNING, shortfall);
    }

    mirror_device_info info() const override {
        mirror_device_info info{};
        info.struct_size = sizeof info;
        info.kind = MIRROR_DEVICE_CUDA;
        info.precisions =
            1u << MIRROR_PRECISION_FP32 | 1u << MIRROR_PRECISION_BF16 | 1u << MIRROR_PRECISION_FP16;
        info.native_half = 1u << MIRROR_PRECISION_BF16 | 1u << MIRROR_PRECISION_FP16;
        info.memory_bytes = gpu_->memory_bytes();
        std::memcpy(
            info.name, gpu_->name().data(), std::min(gpu_->name().size(), sizeof info.name - 1));
        return info;
    }
    int channel_alignment(int32_t precision) const override { return alignment(precision); }

    std::unique_ptr<Pipeline> make_pipeline(PipelineSpec spec) override {
        return cuda::make_pipeline(gpu_, std::move(spec));
    }
    std::unique_ptr<Store> make_store(int regions, int dim, int32_t precision) override {
        return cuda::make_store(gpu_, regions, dim, precision);
    }

    bool on_device(const void* pointer) const override {
        const Gpu::Scope scope(*gpu_);
        return cuda::on_device(*gpu_, pointer);
    }

    int64_t find_beyond(const float* x, int64_t count, float limit) const override {
        const Gpu::Scope scope(*gpu_);
        const DeviceBuffer first(gpu_, sizeof(uint64_t));
        uint64_t found = ~uint64_t{0};
        MIRROR_CU(*gpu_, cuMemsetD8Async, first.address(), 0xff, sizeof found, gpu_->stream());
        find_non_finite(*gpu_, {x, count, limit, first.as<unsigned long long>()});
        download(first, &found, sizeof found);
        return found == ~uint64_t{0} ? -1 : static_cast<int64_t>(found);
    }

    void preprocess(
        const mirror_image& image, int height, int width, const float* mean, float* out) override {
        const Gpu::Scope scope(*gpu_);
        const int64_t bytes = (image.height - 1) * image.stride +
                              image.width * (image.format == MIRROR_FORMAT_GRAY8  ? 1
                                             : image.format == MIRROR_FORMAT_RGB8 ? 3
                                                                                  : 4);
        const DeviceBuffer pixels = upload(image.data, static_cast<size_t>(bytes));
        const size_t count = checked_size("the output", height, width, 3);
        const DeviceBuffer padded(gpu_,
                                  checked_size("the output", height, width, 4) * sizeof(float));
        const DeviceBuffer dense(gpu_, count * sizeof(float));
        const Resize resize = resize_geometry(image.height, image.width, height, width);
        PreprocessParams params{};
        params.image = pixels.as<const unsigned char>(), params.stride = image.stride;
        params.width = image.width, params.height = image.height, params.format = image.format;
        params.resized_height = static_cast<int>(resize.height),
        params.resized_width = static_cast<int>(resize.width);
        params.crop_top = static_cast<int>(resize.top),
        params.crop_left = static_cast<int>(resize.left);
        params.mean_r = mean[0], params.mean_g = mean[1], params.mean_b = mean[2];
        const int64_t rows = static_cast<int64_t>(height) * width;
        params.out = {padded.as<>(), rows * 4, height, width, width, 4, 0, 0, 1};
        cuda::preprocess(*gpu_, MIRROR_PRECISION_FP32, params);
        unpack(*gpu_, MIRROR_PRECISION_FP32, {padded.as<>(), dense.as<float>(), rows, 4, 3});
        download(dense, out, count * sizeof(float));
    }

    void conv2d(const Conv2dArgs& args) override {
        const Gpu::Scope scope(*gpu_);
        const int32_t precision = args.precision;
        const int p = output(args.h,
                             args.window.kernel_h,
                             args.window.stride_h,
                             args.window.pad_top,
                             args.window.pad_bottom);
        const int q = output(args.w,
                             args.window.kernel_w,
                             args.window.stride_w,
                             args.window.pad_left,
                             args.window.pad_right);
        const int c = static_cast<int>(round_up(args.in_c, alignment(precision)));
        const int k = static_cast<int>(round_up(args.out_c, alignment(precision)));
        const int64_t pixels = static_cast<int64_t>(args.n) * p * q;
        const WeightShape shape{
            args.window.kernel_h, args.window.kernel_w, args.in_c, args.out_c, c, k, 0};
        checked_size("weights", k, shape.r, shape.s, c);
        const ConvOperands operands = upload_weights(
            gpu_,
            precision,
            shape,
            host(args.weights, checked_size("weights", shape.r, shape.s, args.in_c, args.out_c))
                .data(),
            args.bias ? host(args.bias, static_cast<size_t>(args.out_c)).data() : nullptr);
        const DeviceBuffer x =
            packed(precision, args.x, static_cast<int64_t>(args.n) * args.h * args.w, args.in_c, c);
        DeviceBuffer y(
            gpu_, checked_size("y", pixels, k) * static_cast<size_t>(element_bytes(precision)));
        if (args.residual) y = packed(precision, args.residual, pixels, args.out_c, k);
        Conv2dParams params{};
        params.x = x.as<>(), params.weights = operands.weights.as<>(),
        params.bias = operands.bias.as<const float>(), params.y = y.as<>();
        params.residual = args.residual ? y.as<>() : nullptr;
        params.n = args.n, params.h = args.h, params.w = args.w, params.c = c, params.x_pitch = c;
        params.k = k, params.r = shape.r, params.s = shape.s, params.p = p, params.q = q,
        params.y_pitch = k;
        params.stride_h = args.window.stride_h, params.stride_w = args.window.stride_w;
        params.pad_top = args.window.pad_top, params.pad_left = args.window.pad_left,
        params.relu = args.relu;
        const KernelId kernel = choose_conv(gpu_->traits(), family(), precision, params).id;
        DeviceBuffer map_buffer;
        if (conv_needs_maps(kernel)) {
            CUtensorMap maps[kConvMaps];
            write_conv_maps(*gpu_, params, kernel, maps);
            map_buffer = upload(maps, sizeof maps);
            params.maps = map_buffer.as<>();
        }
        cuda::conv2d(*gpu_, kernel, params);
        unpacked(precision, y, pixels, k, args.out_c, args.y);
    }

    void pool2d(const mirror_window& window,
                int32_t pool,
                const float* x,
                int n,
                int h,
                int w,
                int c,
                float* y) override {
        const Gpu::Scope scope(*gpu_);
        constexpr int32_t precision = MIRROR_PRECISION_FP32;
        const int pitch = static_cast<int>(round_up(c, alignment(precision)));
        const DeviceBuffer in = packed(precision, x, static_cast<int64_t>(n) * h * w, c, pitch);
        Pool2dParams params{};
        params.n = n, params.h = h, params.w = w,
        params.c = params.x_pitch = params.y_pitch = pitch;
        params.r = window.kernel_h, params.s = window.kernel_w;
        params.p = output(h, window.kernel_h, window.stride_h, window.pad_top, window.pad_bottom);
        params.q = output(w, window.kernel_w, window.stride_w, window.pad_left, window.pad_right);
        params.stride_h = window.stride_h, params.stride_w = window.stride_w;
        params.pad_top = window.pad_top, params.pad_left = window.pad_left;
        params.average = pool == MIRROR_POOL_AVG;
        const int64_t rows = static_cast<int64_t>(n) * params.p * params.q;
        const DeviceBuffer out(gpu_, checked_size("y", rows, pitch) * sizeof(float));
        params.x = in.as<>(), params.y = out.as<>();
        cuda::pool2d(*gpu_, precision, params);
        unpacked(precision, out, rows, pitch, c, y);
    }

    void lrn(const float* x,
             int64_t rows,
             int c,
             int radius,
             float alpha,
             float beta,
             float bias,
             float* y) override {
        const Gpu::Scope scope(*gpu_);
        constexpr int32_t precision = MIRROR_PRECISION_FP32;
        const int pitch = static_cast<int>(round_up(c, alignment(precision)));
        const DeviceBuffer in = packed(precision, x, rows, c, pitch);
        const DeviceBuffer out(gpu_, in.bytes());
        cuda::lrn(*gpu_,
                  precision,
                  {in.as<>(), out.as<>(), rows, pitch, pitch, pitch, radius, alpha, beta, bias});
        unpacked(precision, out, rows, pitch, c, y);
    }

    void region_pool(const float* maps,
                     int n,
                     int h,
                     int w,
                     int c,
                     std::span<const mirror_region> regions,
                     int32_t pool,
                     float* out,
                     int64_t out_stride) override {
        const Gpu::Scope scope(*gpu_);
        constexpr int32_t precision = MIRROR_PRECISION_FP32;
        const int pitch = static_cast<int>(round_up(c, alignment(precision)));
        const DeviceBuffer in = packed(precision, maps, static_cast<int64_t>(n) * h * w, c, pitch);
        std::vector<Region> list;
        for (const mirror_region& r : regions) list.push_back({r.x, r.y, r.width, r.height});
        const DeviceBuffer places = upload(list.data(), list.size() * sizeof(Region));
        const int64_t count = static_cast<int64_t>(list.size());
        const DeviceBuffer pooled(gpu_, checked_size("descriptors", n, count, c) * sizeof(float));
        RegionPoolParams params{};
        params.x = in.as<>(), params.y = pooled.as<float>(),
        params.regions = places.as<const Region>();
        params.y_image_stride = count * c;
        params.n = n, params.h = h, params.w = w, params.c = c, params.x_pitch = pitch;
        params.count = static_cast<int>(count), params.pool = pool;
        cuda::region_pool(*gpu_, precision, params);
        for (int i = 0; i < n; ++i)
            copy(*gpu_,
                 out + i * out_stride,
                 pooled.as<float>() + i * count * c,
                 static_cast<size_t>(count * c) * sizeof(float),
                 gpu_->stream());
        gpu_->synchronize();
    }

    void l2_normalize(const float* x, int64_t count, int dim, float* y) override {
        const Gpu::Scope scope(*gpu_);
        in_tiles(x, count, dim, [&](int64_t first, int64_t rows, const DeviceBuffer& tile) {
            cuda::l2_normalize(*gpu_, {tile.as<const float>(), tile.as<float>(), rows, dim});
            download(tile, y + first * dim, static_cast<size_t>(rows * dim) * sizeof(float));
        });
    }

    void covariance(const float* rows,
                    int64_t count,
                    int dim,
                    const Progress& progress,
                    double* mean,
                    double* result) override {
        const Gpu::Scope scope(*gpu_);
        progress.report(0);
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
                cublas->symmetric(
                    centered.as<const double>(), some, dim, scale, products.as<double>());
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
            progress.report(first + some);
        });
        download(products, result, square);
        if (cublas)
            for (int64_t i = 0; i < dim; ++i)
                for (int64_t j = i + 1; j < dim; ++j) result[i * dim + j] = result[j * dim + i];
    }

    void whiten(const float* rows,
                int64_t count,
                int dim,
                const double* projection,
                const double* offset,
                int out_dim,
                float* out) override {
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

    void similarity(const float* queries,
                    int64_t nq,
                    const float* rows,
                    int64_t nd,
                    int regions,
                    int dim,
                    int32_t similarity,
                    int32_t metric,
                    float* scores) override {
        const Gpu::Scope scope(*gpu_);
        const DeviceBuffer q =
            upload(queries, checked_size("queries", nq, regions, dim) * sizeof(float));
        const DeviceBuffer d = upload(rows, checked_size("rows", nd, regions, dim) * sizeof(float));
        const size_t bytes = checked_size("scores", nq, nd) * sizeof(float);
        const DeviceBuffer result(gpu_, bytes);
        score_rows(gpu_,
                   {q.as<>(),
                    d.as<>(),
                    nq,
                    nd,
                    regions,
                    dim,
                    MIRROR_PRECISION_FP32,
                    similarity,
                    metric,
                    result.as<float>(),
                    nd});
        download(result, scores, bytes);
    }

    void topk(const float* scores,
              int64_t rows,
              int64_t n,
              int k,
              bool smallest,
              int32_t* ids,
              float* values) override {
        const Gpu::Scope scope(*gpu_);
        const size_t results = checked_size("ids", rows, k);
        const DeviceBuffer in = upload(scores, checked_size("scores", rows, n) * sizeof(float));
        const DeviceBuffer best(gpu_, results * sizeof(int32_t)),
            kept(gpu_, results * sizeof(float));
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

    // A convolution over one row of m pixels.
    void gemm(const float* a,
              const float* b,
              int64_t m,
              int64_t n,
              int64_t k,
              int32_t precision,
              float* c) override {
        constexpr int64_t limit = 1 << 24;
        require(m <= limit && n <= limit && k <= limit,
                "a is ",
                m,
                " x ",
                k,
                ", b is ",
                n,
                " x ",
                k,
                ", expected at most ",
                limit,
                " rows and columns");
        const std::vector<float> kernel = host(b, checked_size("b", n, k));
        std::vector<float> transposed(kernel.size());
        for (int64_t i = 0; i < n; ++i)
            for (int64_t j = 0; j < k; ++j)
                transposed[static_cast<size_t>(j * n + i)] = kernel[static_cast<size_t>(i * k + j)];
        Conv2dArgs args;
        args.window = {sizeof args.window, 1, 1, 1, 1, 0, 0, 0, 0};
        args.x = a, args.n = 1, args.h = 1, args.w = static_cast<int>(m),
        args.in_c = static_cast<int>(k), args.out_c = static_cast<int>(n);
        args.weights = transposed.data(), args.precision = precision, args.y = c;
        conv2d(args);
    }

  private:
    static int output(int extent, int kernel, int stride, int before, int after) {
        return static_cast<int>(window_output(extent, kernel, stride, before, after));
    }

    DeviceBuffer zeros(size_t bytes) const {
        DeviceBuffer buffer(gpu_, bytes);
        MIRROR_CU(*gpu_, cuMemsetD8Async, buffer.address(), 0, bytes, gpu_->stream());
        return buffer;
    }
    DeviceBuffer upload(const void* data, size_t bytes) const {
        DeviceBuffer buffer(gpu_, bytes);
        copy(*gpu_, buffer.as<>(), data, bytes, gpu_->stream());
        return buffer;
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

}  // namespace

std::shared_ptr<Backend> make_backend(const GpuOptions& options) {
    return std::make_shared<CudaBackend>(options);
}

}  // namespace mirror::cuda
