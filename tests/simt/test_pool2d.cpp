// pool2d_* against a double-precision reference: ragged strips, windows over every border, slices of a pitch.
#include "harness.h"
#include "kernel_fixture.h"
#include "pool/pool2d.cu"

namespace {

struct Shape {
    int n, h, w, c, x_pitch, y_pitch, r, s, stride_h, stride_w, top, left, bottom, right;
};
constexpr Shape kShapes[] = {
    {2, 9, 11, 16, 16, 16, 3, 3, 2, 2, 0, 0, 1, 1},  // TensorFlow's SAME on even sizes
    {1, 7, 6, 8, 24, 32, 3, 3, 1, 1, 1, 1, 1, 1},    // slices of wider tensors
    {1, 10, 9, 8, 8, 16, 7, 7, 1, 1, 0, 0, 0, 0},
    {1, 5, 13, 8, 16, 8, 1, 2, 1, 3, 0, 0, 0, 0},  // columns that no window covers
    {3, 1, 1, 8, 8, 8, 1, 1, 1, 1, 0, 0, 0, 0},
    {1, 4, 5, 24, 24, 24, 2, 4, 2, 1, 1, 3, 1, 3},  // windows that barely touch the image
};

template <class T>
void check(void (*kernel)(const Pool2dParams), const Shape& shape, bool average) {
    test::Rng rng(static_cast<uint64_t>(shape.w * 100 + shape.c + average));
    Pool2dParams p{};
    p.n = shape.n, p.h = shape.h, p.w = shape.w, p.c = shape.c, p.x_pitch = shape.x_pitch, p.y_pitch = shape.y_pitch;
    p.r = shape.r, p.s = shape.s, p.stride_h = shape.stride_h, p.stride_w = shape.stride_w;
    p.pad_top = shape.top, p.pad_left = shape.left, p.average = average;
    p.p = (p.h + shape.top + shape.bottom - p.r) / p.stride_h + 1;
    p.q = (p.w + shape.left + shape.right - p.s) / p.stride_w + 1;
    test::DeviceMemory<T> x(static_cast<size_t>(p.n) * p.h * p.w * p.x_pitch);
    test::DeviceMemory<T> y(static_cast<size_t>(p.n) * p.p * p.q * p.y_pitch);
    for (size_t i = 0; i < x.size(); ++i)
        if (static_cast<int>(i % p.x_pitch) < p.c) x[i] = test::narrow<T>(static_cast<float>(rng.uniform(-2, 1)));
    p.x = x.data(), p.y = y.data();
    const auto after = [&] {
        y.check();
        for (int i = 0; i < p.n * p.p * p.q; ++i) {
            const int image = i / p.q / p.p, oy = i / p.q % p.p, ox = i % p.q;
            const size_t row = static_cast<size_t>(i) * p.y_pitch;
            CHECK(y.untouched(row + p.c, row + p.y_pitch));
            for (int c = 0; c < p.c; ++c) {
                double sum = 0, best = -INFINITY;
                for (int a = 0; a < p.r; ++a)
                    for (int b = 0; b < p.s; ++b) {
                        const int iy = oy * p.stride_h - p.pad_top + a, ix = ox * p.stride_w - p.pad_left + b;
                        if (iy < 0 || iy >= p.h || ix < 0 || ix >= p.w) continue;
                        const double v =
                            test::widen(x[static_cast<size_t>((image * p.h + iy) * p.w + ix) * p.x_pitch + c]);
                        sum += v, best = std::max(best, v);
                    }
                const double got = test::widen(y[row + c]);
                if (!average)
                    CHECK_EQ(got, best);  // no arithmetic
                else                      // up to 49 float additions of values up to 2, one rounding to T
                    CHECK_NEAR(got, sum / (p.r * p.s), 2 * test::unit_roundoff<T> + 1e-6);
            }
        }
    };
    test::run_schedules(
        kernel, pool2d_launch(p, Vec<T>::N), p, [&] { y.reset(); }, after);
}

template <class T>
void check_all(void (*kernel)(const Pool2dParams)) {
    for (const Shape& shape : kShapes)
        for (const bool average : {false, true}) check<T>(kernel, shape, average);
}

TEST(Pool2d_F32_MatchesReference) {
    check_all<float>(pool2d_f32);
}
TEST(Pool2d_F16_MatchesReference) {
    check_all<f16>(pool2d_f16);
}
TEST(Pool2d_Bf16_MatchesReference) {
    check_all<bf16>(pool2d_bf16);
}

TEST(Pool2d_NaN_NeverWinsAMaximumAndReachesAnAverage) {
    test::DeviceMemory<float> x(std::vector<float>{NAN, 1, 2, NAN, 3, NAN, 5, NAN}), y(4);
    Pool2dParams p{x.data(), y.data(), 1, 1, 2, 4, 4, 1, 2, 1, 1, 4, 1, 1, 0, 0, 0};
    test::run(pool2d_f32, pool2d_launch(p, 4), p, {});
    CHECK(y[0] == 3 && y[1] == 1 && y[2] == 5 && y[3] == -INFINITY);  // as on the CPU
    p.average = 1;
    test::run(pool2d_f32, pool2d_launch(p, 4), p, {});
    CHECK(std::isnan(y[0]) && std::isnan(y[1]) && y[2] == 3.5f && std::isnan(y[3]));
}

}  // namespace
