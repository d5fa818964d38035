// The CPU's Winograd convolution against the direct sum in double precision: sides that are no
// multiple of a tile, channels that are no multiple of a vector, lopsided and absent padding,
// results in a channel slice, more tiles than one matmul takes.
#include "harness.h"

#if MIRROR_HAS_CPU
#include <algorithm>
#include <numeric>
#include <type_traits>

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
    {1, 14, 14, 192, 208, {1, 1, 1, 1}, 0},
    {2, 14, 14, 192, 208, {1, 1, 1, 1}, 0},
    {3, 14, 14, 192, 208, {1, 1, 1, 1}, 0},
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
    if (!convolution) {
        const bool wanted = std::is_same_v<T, float> ? __builtin_cpu_supports("avx2")
                                                     : __builtin_cpu_supports("avx512bf16");
        CHECK(!wanted);
        SKIP("this CPU has no fast matmul of the type");
    }
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

// What rounding may do to a result, by the standard model with independent errors of mean 0 (Higham
// & Mary, "A New Approach to Probabilistic Rounding Error Analysis", SIAM J. Sci. Comput. 41(5),
// 2019), for inputs and kernels of independent values of mean 0: the variances of a transform along
// one side, where those of the six samples that lie in the padding are 0. In units of one product.
struct Side {
    double direct[4];    // of a result: the direct sum's
    double enlarged[4];  // of a result if the six products were independent, as their errors are
    double partial[4];   // the largest of a sum of some of the terms of a result

    explicit Side(const bool (&inside)[6]) {
        constexpr double points[] = {0, 0.625, -0.625, 1.5, -1.5};
        double enter[6][6] = {}, kernel[6][3] = {}, leave[4][6] = {};  // B^T, G, A^T
        for (int i = 0; i < 6; ++i) {
            // The polynomial with the other points as roots, up to degree 5.
            double product[6] = {1};
            double scale = 1;
            for (int j = 0, degree = 1; j < 5; ++j) {
                if (j == i) continue;
                for (int k = degree++; k >= 0; --k)
                    product[k] = (k ? product[k - 1] : 0) - points[j] * product[k];
                if (i < 5) scale *= points[i] - points[j];
            }
            for (int k = 0; k < 6; ++k) enter[i][k] = inside[k] ? product[k] : 0;
            for (int k = 0; k < 3; ++k)
                kernel[i][k] = i < 5 ? std::pow(points[i], k) / scale : k == 2;
            for (int k = 0; k < 4; ++k) leave[k][i] = i < 5 ? std::pow(points[i], k) : k == 3;
        }
        double covariance[6][6];  // of the products
        for (int i = 0; i < 6; ++i)
            for (int j = 0; j < 6; ++j)
                covariance[i][j] = std::inner_product(enter[i], enter[i] + 6, enter[j], 0.0) *
                                   std::inner_product(kernel[i], kernel[i] + 3, kernel[j], 0.0);
        for (int k = 0; k < 4; ++k) {
            enlarged[k] = partial[k] = 0;
            for (int i = 0; i < 6; ++i) enlarged[k] += leave[k][i] * leave[k][i] * covariance[i][i];
            for (int terms = 0; terms < 64; ++terms) {
                double sum = 0;
                for (int i = 0; i < 6; ++i)
                    for (int j = 0; j < 6; ++j)
                        if (terms >> i & 1 && terms >> j & 1)
                            sum += leave[k][i] * leave[k][j] * covariance[i][j];
                partial[k] = std::max(partial[k], sum);
                direct[k] = sum;  // the last has all terms
            }
        }
    }
};

// Mean square of the error of the result at (row, column) of its tile. A rounding's is at most
// u^2/3 of the value's. Roundings: a transformed kernel 1; an input at most 6 in each pass; the sum
// over channels one a term, on average of half of it; a result at most 8 in each pass, of partial
// sums; the bias 1. bfloat16 rounds kernel, input and result once more.
template <class T>
double error_square(const Side& rows, const Side& columns, int row, int column, int in_c) {
    constexpr double value = 1.0 / 3;  // mean square of what test::Rng::floats draws
    const double unit = in_c * value * value;
    const double enlarged = rows.enlarged[row] * columns.enlarged[column];
    const double result = rows.direct[row] * columns.direct[column] + value / unit;
    const double narrow = std::is_same_v<T, float> ? 0 : 0x1p-16 / 3;
    constexpr double wide = 0x1p-48 / 3;
    return unit * (wide * ((1 + 2 * 6 + (in_c + 1) / 2.0) * enlarged +
                           8 * (rows.partial[row] * columns.enlarged[column] +
                                rows.direct[row] * columns.partial[column]) +
                           result) +
                   narrow * (2 * enlarged + result));
}

// Of the tile that holds the results from `first` on, in a map of `length` cells.
Side side(int first, int pad, int length) {
    bool inside[6];
    for (int i = 0; i < 6; ++i) inside[i] = first - pad + i >= 0 && first - pad + i < length;
    return Side(inside);
}

// Tiles are transformed whole, so that a small result has the errors of its tile: the sum of all
// squares is what can be bounded.
template <class T>
void check(const Shape& s, bool relu) {
    const mirror::WindowShape shape = window_shape(s);
    test::Rng rng(static_cast<uint64_t>(&s - shapes));
    const auto in_c = static_cast<size_t>(s.in_c), out_c = static_cast<size_t>(s.out_c);
    const auto x = rounded<T>(rng.floats(static_cast<size_t>(s.n * s.h * s.w) * in_c));
    const auto kernel = rng.floats(9 * in_c * out_c), bias = rng.floats(out_c);
    const int64_t stride = s.slice ? s.slice : s.out_c;
    constexpr float guard = 77;
    const auto y = run<T>(shape, relu, x, kernel, bias, stride, guard);
    std::vector<double> sum(out_c);
    double errors = 0, bound = 0;
    for (int i = 0; i < s.n; ++i)
        for (int oy = 0; oy < shape.out_h(); ++oy)
            for (int ox = 0; ox < shape.out_w(); ++ox) {
                bound += s.out_c * error_square<T>(side(oy / 4 * 4, s.pads[0], s.h),
                                                   side(ox / 4 * 4, s.pads[1], s.w),
                                                   oy % 4,
                                                   ox % 4,
                                                   s.in_c);
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
                    if (relu) CHECK(mirror::to_float(result[o]) >= 0);
                }
                for (int64_t o = s.out_c; o < stride; ++o)
                    CHECK_EQ(mirror::to_float(result[o]), guard);
            }
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

TEST(Winograd_Float_ErrsNoMoreThanRoundingAllows) {
    for (const Shape& shape : shapes)
        for (const bool relu : {false, true}) check<float>(shape, relu);
}

TEST(Winograd_Bfloat16_ErrsNoMoreThanRoundingAllows) {
    for (const Shape& shape : shapes)
        for (const bool relu : {false, true}) check<bfloat16>(shape, relu);
}

TEST(Winograd_FloatCompany_ChangesNoImage) {
    check_company<float>();
}

TEST(Winograd_Bfloat16Company_ChangesNoImage) {
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
