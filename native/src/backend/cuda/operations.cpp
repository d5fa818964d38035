// Operations of networks, one at a time: tests, and hosts with their own network.
#include "backend/cuda/choose.h"
#include "backend/cuda/cuda_backend.h"
#include "backend/cuda/tensor_maps.h"
#include "backend/cuda/weights.h"
#include "backend/resize.h"

namespace mirror::cuda {

void CudaBackend::preprocess(
    const mirror_image& image, int height, int width, int32_t fit, const float* mean, float* out) {
    const Gpu::Scope scope(*gpu_);
    const int64_t bytes = (image.height - 1) * image.stride +
                          image.width * (image.format == MIRROR_FORMAT_GRAY8  ? 1
                                         : image.format == MIRROR_FORMAT_RGB8 ? 3
                                                                              : 4);
    const DeviceBuffer pixels = upload(image.data, static_cast<size_t>(bytes));
    const size_t count = checked_size("the output", height, width, 3);
    const DeviceBuffer padded(gpu_, checked_size("the output", height, width, 4) * sizeof(float));
    const DeviceBuffer dense(gpu_, count * sizeof(float));
    const Resize resize = resize_geometry(image.height, image.width, height, width, fit);
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

void CudaBackend::conv2d(const Conv2dArgs& args) {
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
        host(args.weights, checked_size("weights", shape.r, shape.s, args.in_c, args.out_c)).data(),
        args.bias ? host(args.bias, static_cast<size_t>(args.out_c)).data() : nullptr);
    const DeviceBuffer x =
        packed(precision, args.x, static_cast<int64_t>(args.n) * args.h * args.w, args.in_c, c);
    DeviceBuffer y(gpu_,
                   checked_size("y", pixels, k) * static_cast<size_t>(element_bytes(precision)));
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

void CudaBackend::pool2d(const mirror_window& window,
                         int32_t pool,
                         const float* x,
                         int n,
                         int h,
                         int w,
                         int c,
                         float* y) {
    const Gpu::Scope scope(*gpu_);
    constexpr int32_t precision = MIRROR_PRECISION_FP32;
    const int pitch = static_cast<int>(round_up(c, alignment(precision)));
    const DeviceBuffer in = packed(precision, x, static_cast<int64_t>(n) * h * w, c, pitch);
    Pool2dParams params{};
    params.n = n, params.h = h, params.w = w, params.c = params.x_pitch = params.y_pitch = pitch;
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

void CudaBackend::lrn(const float* x,
                      int64_t rows,
                      int c,
                      int radius,
                      float alpha,
                      float beta,
                      float bias,
                      float* y) {
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

void CudaBackend::region_pool(const float* maps,
                              int n,
                              int h,
                              int w,
                              int c,
                              std::span<const mirror_region> regions,
                              int32_t pool,
                              float gem_p,
                              float* out,
                              int64_t out_stride) {
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
    params.x = in.as<>(), params.y = pooled.as<float>(), params.regions = places.as<const Region>();
    params.y_image_stride = count * c;
    params.n = n, params.h = h, params.w = w, params.c = c, params.x_pitch = pitch;
    params.count = static_cast<int>(count), params.pool = pool, params.gem_p = gem_p;
    cuda::region_pool(*gpu_, precision, params);
    for (int i = 0; i < n; ++i)
        copy(*gpu_,
             out + i * out_stride,
             pooled.as<float>() + i * count * c,
             static_cast<size_t>(count * c) * sizeof(float),
             gpu_->stream());
    gpu_->synchronize();
}

void CudaBackend::gemm(
    const float* a, const float* b, int64_t m, int64_t n, int64_t k, int32_t precision, float* c) {
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

}  // namespace mirror::cuda
