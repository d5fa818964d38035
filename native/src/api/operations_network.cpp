// The single operations that networks consist of: mirror_window_same, mirror_conv2d, mirror_pool2d,
// mirror_lrn.
#include <cmath>

#include "api/handles.h"
#include "backend/backend.h"
#include "base/checked.h"
#include "plan/plan.h"

namespace mirror {
namespace {

constexpr int max_extent = 1 << 20;  // cells or channels: keeps every product of two within 64 bits

void check_extent(const char* name, int value) {
    require(value >= 1 && value <= max_extent, name, " is ", value, ", expected 1 to ", max_extent);
}

void check_kernel(const mirror_window& window) {
    check_extent("window.kernel_h", window.kernel_h);
    check_extent("window.kernel_w", window.kernel_w);
    check_extent("window.stride_h", window.stride_h);
    check_extent("window.stride_w", window.stride_w);
}

struct Extent {
    int64_t h, w;
};

// The output size of a valid window. A pad as large as the kernel would put windows wholly into the
// padding.
Extent check_window(const mirror_window& window, int h, int w) {
    check_kernel(window);
    auto check_pad = [](const char* name, int pad, int kernel) {
        require(pad >= 0 && pad < kernel,
                "window.",
                name,
                " is ",
                pad,
                ", expected 0 to ",
                kernel - 1,
                " with a kernel of ",
                kernel);
    };
    check_pad("pad_top", window.pad_top, window.kernel_h);
    check_pad("pad_bottom", window.pad_bottom, window.kernel_h);
    check_pad("pad_left", window.pad_left, window.kernel_w);
    check_pad("pad_right", window.pad_right, window.kernel_w);
    const Extent out{
        window_output(h, window.kernel_h, window.stride_h, window.pad_top, window.pad_bottom),
        window_output(w, window.kernel_w, window.stride_w, window.pad_left, window.pad_right)};
    require(out.h >= 1 && out.w >= 1,
            "a window of ",
            window.kernel_h,
            " x ",
            window.kernel_w,
            " does not fit an input of ",
            h,
            " x ",
            w,
            " with its padding");
    return out;
}

}  // namespace
}  // namespace mirror

extern "C" {

mirror_status mirror_window_same(mirror_window* window, int32_t height, int32_t width) {
    using namespace mirror;
    return guard([&] {
        mirror_window& value = checked_struct(window, "window");
        check_kernel(value);
        check_extent("height", height);
        check_extent("width", width);
        set_same_padding(value, height, width);
    });
}

mirror_status mirror_conv2d(mirror_device* device,
                            const mirror_window* window,
                            const float* x,
                            int32_t n,
                            int32_t h,
                            int32_t w,
                            int32_t in_c,
                            const float* weights,
                            int32_t out_c,
                            const float* bias,
                            const float* residual,
                            int32_t relu,
                            int32_t precision,
                            float* y) {
    using namespace mirror;
    return guard([&] {
        Backend& backend = *checked(device, "device").object;
        check_extent("n", n);
        check_extent("h", h);
        check_extent("w", w);
        check_extent("in_c", in_c);
        check_extent("out_c", out_c);
        require(relu == 0 || relu == 1, "relu is ", relu, ", expected 0 or 1");
        const mirror_device_info info = backend.info();
        require(precision >= MIRROR_PRECISION_FP32 && precision <= MIRROR_PRECISION_FP16 &&
                    (info.precisions >> precision & 1),
                "precision is ",
                precision,
                ", which device ",
                info.name,
                " does not support; use MIRROR_PRECISION_FP32 (0)");
        const mirror_window& shape = checked_struct(window, "window");
        const Extent out = check_window(shape, h, w);
        checked_size("x", n, h, w, in_c);
        checked_size("weights", shape.kernel_h, shape.kernel_w, in_c, out_c);
        checked_size("y", n, out.h, out.w, out_c);
        backend.conv2d({shape,
                        &checked(x, "x"),
                        n,
                        h,
                        w,
                        in_c,
                        out_c,
                        &checked(weights, "weights"),
                        bias,
                        residual,
                        relu != 0,
                        precision,
                        &checked(y, "y")});
    });
}

mirror_status mirror_pool2d(mirror_device* device,
                            const mirror_window* window,
                            int32_t pool,
                            const float* x,
                            int32_t n,
                            int32_t h,
                            int32_t w,
                            int32_t c,
                            float* y) {
    using namespace mirror;
    return guard([&] {
        Backend& backend = *checked(device, "device").object;
        check_extent("n", n);
        check_extent("h", h);
        check_extent("w", w);
        check_extent("c", c);
        require(pool == MIRROR_POOL_MAX || pool == MIRROR_POOL_AVG,
                "pool is ",
                pool,
                ", expected 0 (max) or 1 (avg)");
        const mirror_window& shape = checked_struct(window, "window");
        const Extent out = check_window(shape, h, w);
        checked_size("x", n, h, w, c);
        checked_size("y", n, out.h, out.w, c);
        backend.pool2d(shape, pool, &checked(x, "x"), n, h, w, c, &checked(y, "y"));
    });
}

mirror_status mirror_lrn(mirror_device* device,
                         const float* x,
                         int64_t rows,
                         int32_t c,
                         int32_t radius,
                         float alpha,
                         float beta,
                         float bias,
                         float* y) {
    using namespace mirror;
    return guard([&] {
        Backend& backend = *checked(device, "device").object;
        check_extent("c", c);
        require(radius >= 0 && radius <= max_extent,
                "radius is ",
                radius,
                ", expected 0 to ",
                max_extent);
        require(alpha >= 0 && std::isfinite(alpha), "alpha is ", alpha, ", expected >= 0");
        require(bias > 0 && std::isfinite(bias), "bias is ", bias, ", expected > 0");
        require(std::isfinite(beta), "beta is ", beta, ", expected a finite number");
        checked_size("x", rows, c);
        if (rows == 0) return;
        backend.lrn(&checked(x, "x"), rows, c, radius, alpha, beta, bias, &checked(y, "y"));
    });
}

}  // extern "C"
