// The CPU's Winograd convolution against the direct sum in double precision: sides that are no
// multiple of a tile, channels that are no multiple of a vector, lopsided and absent padding,
// results in a channel slice, more tiles than one matmul takes.
#include "harness.h"

#if MIRROR_HAS_CPU
#include <algorithm>

#include "backend/cpu/winograd.h"
#include "base/half.h"

namespace {

using mirror::bfloat16;

struct Shape {
    int n, h, w, in_c, out_c;
    int pads[4];  // top, left, bottom, right
    int slice;    // channels of the map that the results are a slice of; 0: a map of their own
};

constexpr Shape shapes[] = {
    {1, 13, 16, 32, 48, {1, 1, 1, 1}, 0},
    {2, 14, 15, 33, 47, {1, 1, 1, 1}, 0},
    {1, 17, 18, 56, 40, {0, 0, 0, 0}, 64},
    {3, 15, 14, 40, 32, {2, 0, 1, 2}, 0},
    {1, 61, 67, 32, 33, {1, 1, 1, 1}, 80},
    {2, 14, 14, 192, 208, {1, 1, 1, 1}, 0},
};

mirror::WindowShape window_shape(const Shape& s) {
    mirror_window window{};
    window.struct_size = sizeof window;
    window.kernel_h = window.kernel_w = 3;
    window.stride_h = window.stride_w = 1;
    window.pad_top = s.pads[0];
    window.pad_left = s.pads[1];
    window.pad_bottom = s.pads[2];
    window.pad_right = s.pads[3];
    return {s.n, s.h, s.w, s.in_c, s.out_c, window};
}

template <class T>
std::vector<T> rounded(const std::vector<float>& values) {
    std::vector<T> result(values.size());
    std::ranges::transform(values, result.begin(), mirror::from_float<T>);
    return result;
}

// [n, out_h, out_w, stride]; what lies between the slices keeps `guard`.
template <class T>
std::vector<T> run(const mirror::WindowShape& shape,
                   bool relu,
                   const std::vector<T>& x,
                   const std::vector<float>& kernel,
                   const std::vector<float>& bias,
                   int64_t stride,
                   float guard) {
    using mirror::dnnl_engine;
    const auto convolution = mirror::Winograd<T>::make(shape, relu, "test");
    if (!convolution) SKIP("this CPU has no fast matmul of the type");
    dnnl::stream stream(dnnl_engine());
    auto matrices = convolution->transform(kernel.data());
    dnnl::memory plain(convolution->plain_weights(), dnnl_engine(), matrices.data());
    dnnl::memory weights(convolution->weights_desc(), dnnl_engine());
    dnnl::reorder(plain, weights).execute(stream, plain, weights);
    stream.wait();
    std::vector<T> y(static_cast<size_t>(shape.n * shape.out_h() * shape.out_w() * stride),
                     mirror::from_float<T>(guard));
    // Whatever a scratch held before must not matter.
    std::vector<std::byte> scratch(convolution->scratch_bytes(), std::byte{0x7F});
    convolution->run(stream, x.data(), weights, bias.data(), y.data(), stride, scratch.data());
    return y;
}

// Errors are of a tile, not of a single result, as tiles are transformed whole (norm-wise, Higham,
// "Accuracy and Stability of Numerical Algorithms", 24.3): the RMS error of all results, as a part
// of their RMS without ReLU.
template <class T>
void check(const Shape& s, bool relu, double tolerance) {
    const mirror::WindowShape shape = window_shape(s);
    test::Rng rng(static_cast<uint64_t>(&s - shapes));
    const auto in_c = static_cast<size_t>(s.in_c), out_c = static_cast<size_t>(s.out_c);
    const auto x = rounded<T>(rng.floats(static_cast<size_t>(s.n * s.h * s.w) * in_c));
    const auto kernel = rng.floats(9 * in_c * out_c), bias = rng.floats(out_c);
    const int64_t stride = s.slice ? s.slice : s.out_c;
    constexpr float guard = 77;
    const auto y = run<T>(shape, relu, x, kernel, bias, stride, guard);
    std::vector<double> sum(out_c);
    double errors = 0, squares = 0;
    for (int i = 0; i < s.n; ++i)
        for (int oy = 0; oy < shape.out_h(); ++oy)
            for (int ox = 0; ox < shape.out_w(); ++ox) {
                std::copy(bias.begin(), bias.end(), sum.begin());
                for (int cell = 0; cell < 9; ++cell) {
                    const int iy = oy - s.pads[0] + cell / 3, ix = ox - s.pads[1] + cell % 3;
                    if (iy < 0 || iy >= s.h || ix < 0 || ix >= s.w) continue;
                    const T* pixel =
                        x.data() + static_cast<size_t>((i * s.h + iy) * s.w + ix) * in_c;
                    for (size_t c = 0; c < in_c; ++c)
                        for (size_t o = 0; o < out_c; ++o)
                            sum[o] += static_cast<double>(mirror::to_float(pixel[c])) *
                                      kernel[(static_cast<size_t>(cell) * in_c + c) * out_c + o];
                }
                const T* result =
                    y.data() +
                    ((static_cast<int64_t>(i) * shape.out_h() + oy) * shape.out_w() + ox) * stride;
                for (size_t o = 0; o < out_c; ++o) {
                    const double expected = relu ? std::max(sum[o], 0.0) : sum[o];
                    const double error = mirror::to_float(result[o]) - expected;
                    errors += error * error;
                    squares += sum[o] * sum[o];
                    if (relu) CHECK(mirror::to_float(result[o]) >= 0);
                }
                for (int64_t o = s.out_c; o < stride; ++o)
                    CHECK_EQ(mirror::to_float(result[o]), guard);
            }
    CHECK_NEAR(std::sqrt(errors / squares), 0, tolerance);
}

template <class T>
void check_company() {
    test::Rng rng;
    const Shape one{1, 15, 13, 48, 32, {1, 1, 1, 1}, 0};
    Shape four = one;
    four.n = 4;
    const auto x = rounded<T>(rng.floats(4 * 15 * 13 * 48));
    const auto kernel = rng.floats(9 * 48 * 32), bias = rng.floats(32);
    const auto together = run<T>(window_shape(four), true, x, kernel, bias, 32, 0);
    const size_t in = x.size() / 4, out = together.size() / 4;
    for (size_t i = 0; i < 4; ++i) {
        const auto first = x.begin() + static_cast<std::ptrdiff_t>(i * in);
        const std::vector<T> image(first, first + static_cast<std::ptrdiff_t>(in));
        const auto alone = run<T>(window_shape(one), true, image, kernel, bias, 32, 0);
        CHECK_EQ(std::memcmp(alone.data(), together.data() + i * out, out * sizeof(T)), 0);
    }
}

}  // namespace

// A sum of in_c float32 products, one rounding each, whose errors the transform enlarges. The
// factor 2.5 is not derived: the shapes measure 1.1 to 1.8.
TEST(Winograd_RaggedShapes_EqualReference) {
    for (const Shape& shape : shapes)
        for (const bool relu : {false, true})
            check<float>(shape, relu, 2.5 * 0x1p-24 * std::sqrt(shape.in_c));
}

// bfloat16 keeps 8 bits of each transformed factor and of the result.
TEST(Winograd_Bfloat16_IsNearReference) {
    for (const Shape& shape : shapes)
        for (const bool relu : {false, true}) check<bfloat16>(shape, relu, 0.016);
}

TEST(Winograd_Company_ChangesNoImage) {
    check_company<float>();
    check_company<bfloat16>();
}

TEST(Winograd_WhereDirectIsBetter_IsNotMade) {
    mirror::WindowShape shape = window_shape(shapes[1]);
    CHECK(mirror::Winograd<float>::make(shape, true, "test").has_value());
    shape.in_c = 16;
    CHECK(!mirror::Winograd<float>::make(shape, true, "test"));
    shape = window_shape(shapes[1]);
    shape.window.stride_w = 2;
    CHECK(!mirror::Winograd<float>::make(shape, true, "test"));
    shape = window_shape(shapes[1]);
    shape.h = 12;
    CHECK(!mirror::Winograd<float>::make(shape, true, "test"));
    shape = window_shape(shapes[1]);
    shape.window.kernel_h = 1;
    CHECK(!mirror::Winograd<float>::make(shape, true, "test"));
}
#endif
