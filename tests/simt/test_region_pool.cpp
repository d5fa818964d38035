// region_pool_* against a double-precision reference: every pool, one cell to the whole map, ragged
// channels, unit length; GeM's powers where float would overflow.
#include "harness.h"
#include "kernel_fixture.h"
#include "pool/region_pool.cu"

namespace {

struct Shape {
    int n, h, w, c, x_pitch;
};
// A vector or less of channels; one more than a block's 128 (f32) or 256 (f16, bf16) channels; a
// wide map.
constexpr Shape kShapes[] = {
    {2, 5, 7, 13, 24}, {1, 4, 4, 264, 264}, {1, 3, 17, 8, 8}, {1, 1, 1, 130, 136}};

std::vector<Region> regions_of(const Shape& s) {
    const Region whole{0, 0, s.w, s.h}, corner{s.w - 1, s.h - 1, 1, 1};
    if (s.h < 3) return {whole, corner};
    return {whole, corner, {1, 0, 2, s.h}, {0, 1, s.w, 2}};
}

template <class T>
void check(void (*kernel)(const RegionPoolParams),
           const Shape& s,
           int pool,
           float power,
           float largest,
           bool normalize) {
    test::Rng rng(static_cast<uint64_t>(s.c * 10 + pool));
    const std::vector<Region> regions = regions_of(s);
    test::DeviceMemory<T> x(static_cast<size_t>(s.n) * s.h * s.w * s.x_pitch);
    for (size_t i = 0; i < x.size(); ++i) {
        const int c = static_cast<int>(i % s.x_pitch);
        if (c < s.c) x[i] = test::narrow<T>(static_cast<float>(rng.uniform(-1, 3)) * largest / 3);
        if (c >= s.c && c < (s.c + 7) / 8 * 8)
            x[i] = test::narrow<T>(0);  // channels that pad a vector
    }
    RegionPoolParams p{};
    p.x = x.data(), p.regions = regions.data(), p.count = static_cast<int>(regions.size());
    p.n = s.n, p.h = s.h, p.w = s.w, p.c = s.c, p.x_pitch = s.x_pitch, p.pool = pool,
    p.normalize = normalize;
    p.gem_p = power;
    p.y_image_stride =
        static_cast<int64_t>(p.count) * s.c + 5;  // descriptors of another scale follow
    test::DeviceMemory<float> y(static_cast<size_t>(s.n * p.y_image_stride));
    p.y = y.data();
    std::vector<double> want;
    for (int image = 0; image < s.n; ++image)
        for (const Region& r : regions) {
            double squares = 0;
            for (int c = 0; c < s.c; ++c) {
                double best = -INFINITY, sum = 0, powers = 0;
                for (int a = 0; a < r.height; ++a)
                    for (int b = 0; b < r.width; ++b) {
                        const int cell = (image * s.h + r.y + a) * s.w + r.x + b;
                        const double v = test::widen(x[static_cast<size_t>(cell) * s.x_pitch + c]);
                        best = std::max(best, v), sum += pool == 2 ? v * v : v;
                        powers += std::pow(std::max(v, 1e-6), static_cast<double>(power));
                    }
                const double mean = sum / (r.height * r.width);
                const double gem = std::pow(powers / (r.height * r.width), 1. / power);
                want.push_back(pool == 0   ? best
                               : pool == 1 ? mean
                               : pool == 2 ? std::sqrt(mean)
                                           : gem);
                squares += want.back() * want.back();
            }
            if (normalize)
                for (int c = 0; c < s.c; ++c) want[want.size() - s.c + c] /= std::sqrt(squares);
        }
    const auto after = [&] {
        y.check();
        for (int image = 0; image < s.n; ++image) {
            const size_t first = static_cast<size_t>(image * p.y_image_stride),
                         count = static_cast<size_t>(p.count) * s.c;
            CHECK(y.untouched(first + count, first + count + 5));
            // Sums are in double: one rounding to float, two where the vector is scaled. Of a power
            // that is not whole the special function unit's error stays.
            const double tolerance = pool == 3 && power != std::floor(power) ? 6e-7 : 2e-7;
            for (size_t i = 0; i < count; ++i) {
                const double expected = want[image * count + i];
                CHECK_NEAR(y[first + i], expected, tolerance * std::abs(expected) + 1e-30);
            }
        }
    };
    test::run_schedules(
        kernel, region_pool_launch(p, Vec<T>::N), p, [&] { y.reset(); }, after);
}

template <class T>
void check_all(void (*kernel)(const RegionPoolParams)) {
    for (const Shape& shape : kShapes)
        for (const bool normalize : {false, true}) {
            for (const int pool : {0, 1, 2}) check<T>(kernel, shape, pool, 0, 3, normalize);
            for (const float power : {1.f, 2.5f, 3.f, 32.f})
                check<T>(kernel, shape, 3, power, 1e4f, normalize);
        }
}

TEST(RegionPool_F32_MatchesReference) {
    check_all<float>(region_pool_f32);
}
TEST(RegionPool_F16_MatchesReference) {
    check_all<f16>(region_pool_f16);
}
TEST(RegionPool_Bf16_MatchesReference) {
    check_all<bf16>(region_pool_bf16);
}

TEST(RegionPool_ZerosAndNaN_AreAsOnTheCpu) {
    test::DeviceMemory<float> x(8), y(4);
    const Region whole{0, 0, 2, 1};
    RegionPoolParams p{x.data(), y.data(), &whole, 4, 1, 1, 2, 4, 4, 1, 0, 1, 0};
    std::fill_n(x.data(), 8, 0.f);
    test::run(region_pool_f32, region_pool_launch(p, 4), p, {});
    for (int c = 0; c < 4; ++c) CHECK_EQ(y[c], 0.f);  // a zero vector stays zero
    x[0] = NAN, x[4] = -3;
    p.normalize = 0;
    test::run(region_pool_f32, region_pool_launch(p, 4), p, {});
    CHECK_EQ(y[0], -3.f);  // NaN never wins a maximum
    p.pool = 1;
    test::run(region_pool_f32, region_pool_launch(p, 4), p, {});
    CHECK(std::isnan(y[0]) && y[1] == 0);  // and reaches a mean
    p.pool = 3;
    for (const float power : {3.f, 2.5f}) {
        p.gem_p = power;
        test::run(region_pool_f32, region_pool_launch(p, 4), p, {});
        CHECK(std::isnan(y[0]));
        CHECK_NEAR(y[1], 1e-6, 1e-12);  // all below epsilon
    }
}

// Powers beyond double, a maximum whose inverse is no normal float, and one beside which all else
// vanishes.
TEST(RegionPool_GemOfExtremes_MatchesReference) {
    const float rows[][4] = {{3.4e38f, 3e38f, 1, 0},
                             {1.7e38f, 2e-6f, 0, 0},
                             {1e-6f, 2e-6f, 3e-6f, 1e-7f},
                             {0, 0, 0, -5}};
    test::DeviceMemory<float> x(16), y(4);
    for (int channel = 0; channel < 4; ++channel)
        for (int cell = 0; cell < 4; ++cell)
            x[static_cast<size_t>(cell) * 4 + channel] = rows[channel][cell];
    const Region whole{0, 0, 4, 1};
    RegionPoolParams p{x.data(), y.data(), &whole, 4, 1, 1, 4, 4, 4, 1, 3, 0, 0};
    for (const float power : {1.f, 1.5f, 3.f, 31.f, 31.5f, 32.f}) {
        p.gem_p = power;
        test::run(region_pool_f32, region_pool_launch(p, 4), p, {});
        for (int channel = 0; channel < 4; ++channel) {
            double sum = 0, largest = 1e-6;  // of (v / largest)^p, which cannot overflow
            for (const float v : rows[channel]) largest = std::max(largest, static_cast<double>(v));
            for (const float v : rows[channel])
                sum += std::pow(std::max<double>(v, 1e-6) / largest, power);
            const double want = largest * std::pow(sum / 4, 1. / power);
            CHECK_NEAR(y[static_cast<size_t>(channel)], want, 6e-7 * want);
        }
    }
}

}  // namespace
