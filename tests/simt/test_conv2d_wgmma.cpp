// conv2d_wgmma_*: every instance against a convolution in double, on ragged shapes, through the maps that the backend
// writes.
#include "conv/conv2d_wgmma.cu"

#include "conv/wgmma_maps.h"
#include "conv2d_fixture.h"
#include "harness.h"
#include "tensor_map_fixture.h"

namespace {

struct Case {
    int n, h, w, c, k;
    int r, s, stride_h, stride_w, pad_top, pad_left, p, q;
    int x_slack, y_slack, offset;  // channels beyond c and k; where y begins
    enum Residual { none, in_place, apart } residual;
    bool relu;
};

// Numbers are exact in T, sums are double. Tolerance: one rounding to T, and float sums of r * s * c terms in any
// order, 2^-19 of the sum of their sizes (32 roundings; the worst case would be one per term).
template <class T>
void check(void (*kernel)(const Conv2dParams), int filters, int processors, const Case& t) {
    test::Rng rng;
    const int x_pitch = t.c + t.x_slack, y_pitch = t.offset + t.k + t.y_slack;
    const size_t in = size_t(t.n) * t.h * t.w, out = size_t(t.n) * t.p * t.q;
    test::DeviceMemory<T> x(in * x_pitch), y(out * y_pitch), residual(out * y_pitch);
    const test::DeviceMemory<T> weights(test::narrow<T>(rng.floats(size_t(t.k) * t.r * t.s * t.c)));
    const test::DeviceMemory<float> bias(rng.floats(size_t(t.k)));
    for (size_t i = 0; i < in; ++i)
        for (int c = 0; c < t.c; ++c) x[i * x_pitch + c] = test::narrow<T>(float(rng.uniform(-1, 1)));
    for (size_t i = 0; i < out; ++i)
        for (int k = 0; k < t.k; ++k) residual[i * y_pitch + t.offset + k] = test::narrow<T>(float(rng.uniform(-4, 4)));

    Conv2dParams p{};
    p.x = x.data(), p.weights = weights.data(), p.bias = bias.data(), p.y = y.data() + t.offset;
    p.residual = t.residual == Case::none ? nullptr : t.residual == Case::apart ? residual.data() + t.offset : p.y;
    p.n = t.n, p.h = t.h, p.w = t.w, p.c = t.c, p.x_pitch = x_pitch;
    p.k = t.k, p.r = t.r, p.s = t.s, p.p = t.p, p.q = t.q, p.y_pitch = y_pitch;
    p.stride_h = t.stride_h, p.stride_w = t.stride_w, p.pad_top = t.pad_top, p.pad_left = t.pad_left;
    p.relu = t.relu;
    CHECK(conv2d_wgmma::applies(p));
    const Conv2dMaps shapes = conv2d_wgmma_maps(p, filters);
    const TensorMap maps[4] = {test::encode(shapes.pixels), test::encode(shapes.filters), test::encode(shapes.residual),
                               test::encode(shapes.output)};
    p.maps = maps;

    std::vector<double> want(out * t.k), size(out * t.k);
    for (size_t i = 0; i < out; ++i)
        for (int k = 0; k < t.k; ++k) {
            const int n = int(i) / (t.p * t.q), oy = int(i) / t.q % t.p, ox = int(i) % t.q;
            double sum = bias[size_t(k)], terms = std::abs(sum);
            for (int r = 0; r < t.r; ++r)
                for (int s = 0; s < t.s; ++s) {
                    const int iy = oy * t.stride_h - t.pad_top + r, ix = ox * t.stride_w - t.pad_left + s;
                    if (iy < 0 || iy >= t.h || ix < 0 || ix >= t.w) continue;
                    const T* pixel = x.data() + ((size_t(n) * t.h + iy) * t.w + ix) * x_pitch;
                    const T* filter = weights.data() + ((size_t(k) * t.r + r) * t.s + s) * t.c;
                    for (int c = 0; c < t.c; ++c) {
                        const double term = double(test::widen(pixel[c])) * test::widen(filter[c]);
                        sum += term, terms += std::abs(term);
                    }
                }
            if (p.residual) sum += test::widen(residual[i * y_pitch + t.offset + k]);
            want[i * t.k + k] = t.relu ? std::max(sum, 0.0) : sum;
            size[i * t.k + k] = terms;
        }

    const LaunchShape shape = conv2d_wgmma_launch(p, filters, processors);
    std::vector<T> first;
    for (const simt::Options& schedule : test::schedules()) {
        y.reset();
        if (t.residual == Case::in_place) std::copy_n(residual.data(), residual.size(), y.data());
        test::run(kernel, shape, p, schedule);
        y.check();
        for (size_t i = 0; i < out; ++i) {
            CHECK(y.untouched(i * y_pitch, i * y_pitch + t.offset));
            CHECK(y.untouched(i * y_pitch + t.offset + t.k, (i + 1) * y_pitch));
            for (int k = 0; k < t.k; ++k) {
                const double expected = want[i * t.k + k];
                CHECK_NEAR(test::widen(y[i * y_pitch + t.offset + k]), expected,
                           test::unit_roundoff<T> * std::abs(expected) + 0x1p-19 * size[i * t.k + k]);
            }
        }
        const std::vector<T> now(y.data(), y.data() + y.size());
        if (first.empty()) first = now;
        CHECK(std::memcmp(first.data(), now.data(), now.size() * sizeof(T)) == 0);
    }
}

template <class T>
void check_overflow(void (*kernel)(const Conv2dParams), int filters) {
    test::check_overflow<T>([&](Conv2dParams p, const simt::Options& schedule) {
        const Conv2dMaps shapes = conv2d_wgmma_maps(p, filters);
        const TensorMap maps[4] = {test::encode(shapes.pixels), test::encode(shapes.filters),
                                   test::encode(shapes.residual), test::encode(shapes.output)};
        p.maps = maps;
        test::run(kernel, conv2d_wgmma_launch(p, filters, 1), p, schedule);
    });
}

}  // namespace

// Four tiles for two blocks, 9 steps in a ring of 7.
TEST(Conv2dWgmma_F16By64_MatchesDouble) {
    check<f16>(conv2d_wgmma_f16_128x64, 64, 2,
               {2, 15, 13, 64, 64, 3, 3, 1, 1, 1, 1, 15, 13, 0, 0, 0, Case::none, true});
}
// Ragged channels and filters, slices of a concat, one block for all tiles; residual added in place.
TEST(Conv2dWgmma_F16By128_RaggedInPlace_MatchesDouble) {
    check<f16>(conv2d_wgmma_f16_128x128, 128, 1,
               {2, 17, 19, 72, 136, 1, 1, 2, 2, 0, 0, 9, 10, 16, 8, 8, Case::in_place, true});
}
// Padding on one side only, fewer channels than a slice.
TEST(Conv2dWgmma_F16By256_OneSidedPadding_MatchesDouble) {
    check<f16>(conv2d_wgmma_f16_128x256, 256, 2,
               {1, 12, 14, 24, 200, 3, 2, 1, 1, 0, 1, 11, 14, 8, 0, 16, Case::none, false});
}
// A second filter tile for every pixel tile; more tiles than blocks.
TEST(Conv2dWgmma_F16By256_ResidualApart_MatchesDouble) {
    check<f16>(conv2d_wgmma_f16_128x256, 256, 1,
               {1, 13, 11, 64, 264, 1, 1, 1, 1, 0, 0, 13, 11, 0, 0, 0, Case::apart, true});
}
// Unequal strides, a wide filter, padding larger than one.
TEST(Conv2dWgmma_Bf16By64_WideFilter_MatchesDouble) {
    check<bf16>(conv2d_wgmma_bf16_128x64, 64, 3,
                {3, 16, 9, 16, 40, 5, 7, 2, 1, 2, 3, 8, 9, 0, 24, 0, Case::in_place, false});
}
TEST(Conv2dWgmma_Bf16By128_StrideTwo_MatchesDouble) {
    check<bf16>(conv2d_wgmma_bf16_128x128, 128, 2,
                {2, 16, 16, 96, 128, 3, 3, 2, 2, 0, 0, 8, 8, 0, 0, 0, Case::apart, true});
}
TEST(Conv2dWgmma_Bf16By256_MatchesDouble) {
    check<bf16>(conv2d_wgmma_bf16_128x256, 256, 1,
                {1, 14, 13, 40, 256, 1, 3, 1, 1, 0, 1, 14, 13, 24, 0, 0, Case::in_place, true});
}
TEST(Conv2dWgmma_OnePixel_MatchesDouble) {
    check<f16>(conv2d_wgmma_f16_128x64, 64, 132, {1, 1, 1, 8, 8, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0, Case::none, true});
    check<f16>(conv2d_wgmma_f16_128x128, 128, 132,
               {1, 1, 1, 8, 8, 3, 3, 1, 1, 1, 1, 1, 1, 8, 8, 8, Case::in_place, false});
}

TEST(Conv2dWgmma_F16_TellsOverflow) {
    check_overflow<f16>(conv2d_wgmma_f16_128x64, 64);
    check_overflow<f16>(conv2d_wgmma_f16_128x128, 128);
    check_overflow<f16>(conv2d_wgmma_f16_128x256, 256);
}
TEST(Conv2dWgmma_Bf16_NeverTellsOverflow) {
    check_overflow<bf16>(conv2d_wgmma_bf16_128x64, 64);
}

TEST(Conv2dWgmma_CatalogueSharedMemory_IsTheLaunchers) {
    CHECK_EQ(test::catalogue_shared("conv2d_wgmma_f16_128x64"), conv2d_wgmma::shared_bytes(64));
    CHECK_EQ(test::catalogue_shared("conv2d_wgmma_f16_128x128"), conv2d_wgmma::shared_bytes(128));
    CHECK_EQ(test::catalogue_shared("conv2d_wgmma_f16_128x256"), conv2d_wgmma::shared_bytes(256));
    CHECK_EQ(test::catalogue_shared("conv2d_wgmma_bf16_128x64"), conv2d_wgmma::shared_bytes(64));
    CHECK_EQ(test::catalogue_shared("conv2d_wgmma_bf16_128x128"), conv2d_wgmma::shared_bytes(128));
    CHECK_EQ(test::catalogue_shared("conv2d_wgmma_bf16_128x256"), conv2d_wgmma::shared_bytes(256));
}

// What the maps cannot describe is refused before a launch.
TEST(Conv2dWgmma_BeyondTensorMaps_DoesNotApply) {
    Conv2dParams p{};
    p.n = 1, p.h = p.w = p.p = p.q = 8, p.c = p.x_pitch = p.k = p.y_pitch = 8, p.r = p.s = 1;
    p.stride_h = p.stride_w = 1;
    CHECK(conv2d_wgmma::applies(p));
    Conv2dParams window = p;
    window.c = 32;  // a pixel that spans its neighbours
    CHECK(!conv2d_wgmma::applies(window));
    Conv2dParams stride = p;
    stride.stride_w = 9;
    CHECK(!conv2d_wgmma::applies(stride));
    Conv2dParams large = p;
    large.n = 1 << 25;
    CHECK(!conv2d_wgmma::applies(large));
    Conv2dParams sliced = p;
    sliced.x_pitch = 12;
    CHECK(!conv2d_wgmma::applies(sliced));
}
