// Convolution, pooling and LRN against double-precision references on ragged shapes: sizes around
// the vector width, odd and even inputs, strides, SAME and lopsided padding. Guard words surround
// every output.
#include <algorithm>
#include <cmath>

#include "handles.h"
#include "harness.h"

namespace {

struct Shape {
    int n, h, w, in_c, out_c, kernel, stride;
    bool same;  // else `pads`: top, left, bottom, right
    int pads[4] = {};
};

constexpr Shape shapes[] = {
    {1, 1, 1, 1, 1, 1, 1, true},
    {1, 7, 5, 3, 31, 3, 1, true},
    {2, 9, 12, 31, 33, 3, 2, true},
    {1, 8, 8, 32, 32, 1, 2, true},
    {3, 5, 6, 33, 1, 5, 1, true},
    {1, 23, 30, 3, 64, 7, 2, false, {3, 3, 3, 3}},
    {1, 22, 31, 3, 32, 7, 2, true},
    {2, 11, 10, 16, 48, 5, 3, false, {2, 0, 1, 4}},
    {1, 13, 14, 443, 17, 1, 1, true},
    {1, 14, 14, 192, 208, 3, 1, true},
    {1, 6, 7, 8, 12, 3, 2, false, {1, 1, 1, 1}},
};

mirror_window window_of(const Shape& shape) {
    mirror_window window{};
    window.struct_size = sizeof window;
    window.kernel_h = window.kernel_w = shape.kernel;
    window.stride_h = window.stride_w = shape.stride;
    if (shape.same) {
        CHECK_OK(mirror_window_same(&window, shape.h, shape.w));
    } else {
        window.pad_top = shape.pads[0];
        window.pad_left = shape.pads[1];
        window.pad_bottom = shape.pads[2];
        window.pad_right = shape.pads[3];
    }
    return window;
}

int output_side(int side, int kernel, int stride, int pads) {
    return (side + pads - kernel) / stride + 1;
}

// Calls visit(y index of the first channel, x index of the cell's first channel, kernel cell) for
// every cell of every window that lies inside the input.
template <class Visit>
void for_each_cell(const Shape& s, const mirror_window& window, int out_c, Visit&& visit) {
    const int oh = output_side(s.h, s.kernel, s.stride, window.pad_top + window.pad_bottom);
    const int ow = output_side(s.w, s.kernel, s.stride, window.pad_left + window.pad_right);
    for (int i = 0; i < s.n; ++i)
        for (int oy = 0; oy < oh; ++oy)
            for (int ox = 0; ox < ow; ++ox)
                for (int ky = 0; ky < s.kernel; ++ky)
                    for (int kx = 0; kx < s.kernel; ++kx) {
                        const int y = oy * s.stride - window.pad_top + ky,
                                  x = ox * s.stride - window.pad_left + kx;
                        if (y < 0 || y >= s.h || x < 0 || x >= s.w) continue;
                        visit(static_cast<size_t>((i * oh + oy) * ow + ox) *
                                  static_cast<size_t>(out_c),
                              static_cast<size_t>((i * s.h + y) * s.w + x) *
                                  static_cast<size_t>(s.in_c),
                              static_cast<size_t>(ky * s.kernel + kx));
                    }
}

size_t output_count(const Shape& s, const mirror_window& window, int channels) {
    return static_cast<size_t>(s.n) *
           static_cast<size_t>(
               output_side(s.h, s.kernel, s.stride, window.pad_top + window.pad_bottom)) *
           static_cast<size_t>(
               output_side(s.w, s.kernel, s.stride, window.pad_left + window.pad_right)) *
           static_cast<size_t>(channels);
}

void check_conv(const test::Device& device,
                const Shape& s,
                bool bias,
                bool residual,
                bool relu,
                int32_t precision) {
    const mirror_window window = window_of(s);
    const size_t in_c = static_cast<size_t>(s.in_c), out_c = static_cast<size_t>(s.out_c);
    test::Rng rng(static_cast<uint64_t>(&s - shapes));
    const auto x = rng.floats(static_cast<size_t>(s.n * s.h * s.w) * in_c);
    const auto kernel = rng.floats(static_cast<size_t>(s.kernel * s.kernel) * in_c * out_c);
    const auto biases = rng.floats(out_c);
    const size_t count = output_count(s, window, s.out_c);
    const auto shortcut = rng.floats(count);
    std::vector<double> expected(count),
        size(count);  // size: sum of |terms|, the scale of rounding errors
    for (size_t i = 0; i < count; ++i) {
        expected[i] = (bias ? biases[i % out_c] : 0.0) + (residual ? shortcut[i] : 0.0);
        size[i] = std::abs(expected[i]) + 1e-3;
    }
    for_each_cell(s, window, s.out_c, [&](size_t out, size_t in, size_t cell) {
        for (size_t c = 0; c < in_c; ++c)
            for (size_t o = 0; o < out_c; ++o) {
                const double term =
                    static_cast<double>(x[in + c]) * kernel[(cell * in_c + c) * out_c + o];
                expected[out + o] += term;
                size[out + o] += std::abs(term);
            }
    });
    test::Guarded<float> y(count);
    CHECK_OK(mirror_conv2d(device.get(),
                           &window,
                           x.data(),
                           s.n,
                           s.h,
                           s.w,
                           s.in_c,
                           kernel.data(),
                           s.out_c,
                           bias ? biases.data() : nullptr,
                           residual ? shortcut.data() : nullptr,
                           relu,
                           precision,
                           y.data()));
    y.check();
    // bfloat16 keeps 8 bits of each factor and of the result, float16 11.
    const double tolerance = precision == MIRROR_PRECISION_FP32   ? 1e-6
                             : precision == MIRROR_PRECISION_FP16 ? 0.00125
                                                                  : 0.01;
    for (size_t i = 0; i < count; ++i)
        CHECK_NEAR(y[i], relu ? std::max(expected[i], 0.0) : expected[i], tolerance * size[i]);
}

}  // namespace

TEST(Conv2d_RaggedShapes_EqualReference) {
    const test::Device device = test::make_device();
    for (const Shape& shape : shapes)
        for (int flags = 0; flags < 8; ++flags)
            check_conv(device, shape, flags & 1, flags & 2, flags & 4, MIRROR_PRECISION_FP32);
}

TEST(Conv2d_HalfPrecisions_AreNearReference) {
    const test::Device device = test::make_device();
    mirror_device_info info{};
    info.struct_size = sizeof info;
    CHECK_OK(mirror_device_get_info(device.get(), &info));
    int checked = 0;
    for (const int32_t precision : {MIRROR_PRECISION_BF16, MIRROR_PRECISION_FP16}) {
        if (!(info.precisions >> precision & 1)) continue;
        ++checked;
        for (const Shape& shape : shapes)
            for (int flags = 0; flags < 8; ++flags)
                check_conv(device, shape, flags & 1, flags & 2, flags & 4, precision);
    }
    if (checked == 0) SKIP("this device has no half precision");
}

TEST(Pool2d_RaggedShapes_EqualReference) {
    const test::Device device = test::make_device();
    for (const Shape& s : shapes)
        for (const int32_t pool : {MIRROR_POOL_MAX, MIRROR_POOL_AVG}) {
            const mirror_window window = window_of(s);
            const size_t channels = static_cast<size_t>(s.in_c),
                         count = output_count(s, window, s.in_c);
            const auto x = test::Rng().floats(
                static_cast<size_t>(s.n * s.h * s.w) * channels, -2, -1);  // never 0
            const double divisor = s.kernel * s.kernel;
            std::vector<double> expected(count, pool == MIRROR_POOL_MAX ? -INFINITY : 0.0);
            for_each_cell(s, window, s.in_c, [&](size_t out, size_t in, size_t) {
                for (size_t c = 0; c < channels; ++c)
                    if (pool == MIRROR_POOL_MAX)
                        expected[out + c] = std::max<double>(expected[out + c], x[in + c]);
                    else
                        expected[out + c] += x[in + c] / divisor;
            });
            test::Guarded<float> y(count);
            CHECK_OK(mirror_pool2d(
                device.get(), &window, pool, x.data(), s.n, s.h, s.w, s.in_c, y.data()));
            y.check();
            for (size_t i = 0; i < count; ++i)
                CHECK_NEAR(y[i], expected[i], pool == MIRROR_POOL_MAX ? 0 : 1e-6);
        }
}

TEST(Lrn_AnyWidthAndExponent_EqualsReference) {
    const test::Device device = test::make_device();
    for (const int c : {1, 2, 31, 32, 33, 64, 192})
        for (const int radius : {0, 2, 5})
            for (const float beta : {0.75f, 0.5f, 1.0f}) {
                constexpr int rows = 7;
                constexpr float alpha = 2e-5f, bias = 1.0f;
                const auto x = test::Rng().floats(static_cast<size_t>(rows * c), -200, 200);
                test::Guarded<float> y(x.size());
                CHECK_OK(mirror_lrn(
                    device.get(), x.data(), rows, c, radius, alpha, beta, bias, y.data()));
                y.check();
                for (int i = 0; i < rows * c; ++i) {
                    const int row = i / c * c;
                    double sum = 0;
                    for (int d = std::max(row, i - radius); d <= std::min(row + c - 1, i + radius);
                         ++d)
                        sum += static_cast<double>(x[static_cast<size_t>(d)]) *
                               x[static_cast<size_t>(d)];
                    const auto at = static_cast<size_t>(i);
                    const double expected =
                        x[at] / std::pow(bias + alpha * sum, static_cast<double>(beta));
                    CHECK_NEAR(y[at], expected, 1e-6 * std::abs(expected));
                }
            }
}

TEST(WindowSame_OddAndEvenInputs_FollowsTensorFlow) {
    struct Case {
        int kernel, stride, side, before, after;
    };
    constexpr Case cases[] = {{7, 2, 224, 2, 3},
                              {7, 2, 231, 3, 3},
                              {3, 2, 112, 0, 1},
                              {3, 2, 113, 1, 1},
                              {3, 1, 7, 1, 1},
                              {1, 2, 8, 0, 0},
                              {5, 1, 1, 2, 2},
                              {2, 1, 4, 0, 1}};
    for (const Case& c : cases) {
        mirror_window window{sizeof window, c.kernel, c.kernel, c.stride, c.stride, 9, 9, 9, 9};
        CHECK_OK(mirror_window_same(&window, c.side, c.side));
        CHECK_EQ(window.pad_top, c.before);
        CHECK_EQ(window.pad_left, c.before);
        CHECK_EQ(window.pad_bottom, c.after);
        CHECK_EQ(window.pad_right, c.after);
    }
}

TEST(Conv2d_BadArguments_NameTheValue) {
    const test::Device device = test::make_device();
    const std::vector<float> data(64);
    std::vector<float> out(64);
    auto conv = [&](mirror_window window, int h, int precision) {
        return mirror_conv2d(device.get(),
                             &window,
                             data.data(),
                             1,
                             h,
                             2,
                             1,
                             data.data(),
                             1,
                             nullptr,
                             nullptr,
                             0,
                             precision,
                             out.data());
    };
    const mirror_window good{sizeof good, 1, 1, 1, 1, 0, 0, 0, 0};
    auto changed = [&](auto change) {
        mirror_window window = good;
        change(window);
        return window;
    };
    CHECK_OK(conv(good, 2, MIRROR_PRECISION_FP32));
    CHECK_FAILS(conv(good, 0, MIRROR_PRECISION_FP32), MIRROR_E_INVALID_ARGUMENT, "h is 0");
    CHECK_FAILS(conv(good, 2, 3), MIRROR_E_INVALID_ARGUMENT, "precision is 3");
    if (!test::on_gpu())
        CHECK_FAILS(
            conv(good, 2, MIRROR_PRECISION_FP16), MIRROR_E_INVALID_ARGUMENT, "precision is 2");
    CHECK_FAILS(conv(changed([](auto& w) { w.stride_w = 0; }), 2, 0),
                MIRROR_E_INVALID_ARGUMENT,
                "stride_w is 0");
    CHECK_FAILS(conv(changed([](auto& w) { w.pad_top = 1; }), 2, 0),
                MIRROR_E_INVALID_ARGUMENT,
                "pad_top is 1");
    CHECK_FAILS(conv(changed([](auto& w) { w.kernel_h = 3; }), 2, 0),
                MIRROR_E_INVALID_ARGUMENT,
                "does not fit");
    CHECK_FAILS(conv(changed([](auto& w) { w.struct_size = 1; }), 2, 0),
                MIRROR_E_INVALID_ARGUMENT,
                "struct_size");
    CHECK_FAILS(mirror_lrn(device.get(), data.data(), 1, 4, 2, 1, 1, 0, out.data()),
                MIRROR_E_INVALID_ARGUMENT,
                "bias is 0");
    CHECK_FAILS(
        mirror_pool2d(device.get(), &good, MIRROR_POOL_L2, data.data(), 1, 2, 2, 1, out.data()),
        MIRROR_E_INVALID_ARGUMENT,
        "pool is 2");
}
