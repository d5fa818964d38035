// The region grid and regional pooling, against the original's vectors and a double-precision
// reference.
#include <map>

#include "harness.h"
#include "model/safetensors.h"
#include "reference.h"
#include "retrieval/regions.h"

namespace {

using mirror::region_layout;

mirror::SafeTensors golden() {
    return mirror::SafeTensors::open(
        test::source_path("tests/data/rmac/golden.safetensors").string());
}

TEST(RegionLayout_WholeGoldenTable_IsEqual) {
    const auto file = golden();
    const mirror::Tensor& table = file.at("table");
    std::vector<int32_t> rows(table.bytes.size() / sizeof(int32_t));
    std::memcpy(rows.data(), table.bytes.data(), table.bytes.size());
    for (size_t i = 0; i < rows.size(); i += 5) {
        const int side = rows[i], step = rows[i + 1], kernel = rows[i + 2], stride = rows[i + 3],
                  count = rows[i + 4];
        const int32_t steps[] = {step};
        if (count == 0) {
            CHECK_THROWS(region_layout(side, side, MIRROR_FIT_CROP, steps),
                         MIRROR_E_INVALID_ARGUMENT,
                         mirror::text(side, " x ", side).c_str());
            continue;
        }
        const auto regions = region_layout(side, side, MIRROR_FIT_CROP, steps);
        CHECK_EQ(static_cast<int>(regions.size()), count);
        const int per_axis = static_cast<int>(std::lround(std::sqrt(count)));
        for (int r = 0; r < count; ++r) {
            CHECK_EQ(regions[r].step, step);
            CHECK_EQ(regions[r].y, r / per_axis * stride);
            CHECK_EQ(regions[r].x, r % per_axis * stride);
            CHECK_EQ(regions[r].height, kernel);
            CHECK_EQ(regions[r].width, kernel);
        }
    }
}

TEST(RegionLayout_Whole_SpreadsWindowsOverTheAxis) {
    int kernel = 0;
    const auto axis = [&](int side, int step) {
        const int32_t steps[] = {step};
        std::vector<int> result;
        const auto regions = region_layout(side, 1, MIRROR_FIT_WHOLE, steps);
        kernel = regions[0].height;
        for (size_t i = 0; i < regions.size(); i += static_cast<size_t>(step))
            result.push_back(regions[i].y);
        return result;
    };
    // 5 windows of 2 on 7 cells, one every 1.25: 2.5 is rounded down, 3.75 up.
    CHECK(axis(7, 5) == (std::vector<int>{0, 1, 2, 4, 5}) && kernel == 2);
    CHECK(axis(2, 5) == (std::vector<int>{0, 0, 0, 1, 1}) && kernel == 1);
    CHECK(axis(1, 3) == (std::vector<int>{0, 0, 0}) && kernel == 1);
    CHECK(axis(9, 2) == (std::vector<int>{0, 3}) && kernel == 6);
    CHECK(axis(65535, 1) == (std::vector<int>{0}) && kernel == 65535);
    for (int side = 1; side <= 70; ++side)
        for (int step = 2; step <= 12; ++step) {
            const auto at = axis(side, step);
            CHECK_EQ(kernel, std::max((side + step - 1) / step, 2 * (side / (step + 1))));
            for (int i = 0; i < step; ++i)  // halves are exact in double
                CHECK_EQ(at[static_cast<size_t>(i)],
                         static_cast<int>(std::ceil(
                             static_cast<double>(i) * (side - kernel) / (step - 1) - 0.5)));
            CHECK_EQ(at.back() + kernel, side);
            for (size_t i = 1; i < at.size(); ++i) CHECK(at[i] <= at[i - 1] + kernel);  // no gap
        }
}

TEST(RegionLayout_Whole_HasTheSameCountOnEveryMap) {
    const int32_t steps[] = {1, 3, 5};
    for (int h = 1; h <= 40; ++h)
        for (int w = 1; w <= 40; w += 3)
            CHECK_EQ(region_layout(h, w, MIRROR_FIT_WHOLE, steps).size(), size_t{35});
    // Where the original's windows cover the map exactly, these are the same.
    const auto whole = region_layout(28, 28, MIRROR_FIT_WHOLE, steps),
               crop = region_layout(28, 28, MIRROR_FIT_CROP, steps);
    CHECK_EQ(whole.size(), crop.size());
    CHECK_EQ(std::memcmp(whole.data(), crop.data(), whole.size() * sizeof whole[0]), 0);
}

TEST(RegionLayout_EveryMapAndStep_StaysInsideTheMap) {
    for (int h = 1; h <= 40; ++h)
        for (int w = 1; w <= 40; w += 3)
            for (int32_t step = 1; step <= 9; ++step) {
                const int32_t steps[] = {1, step};
                for (const int32_t fit : {MIRROR_FIT_CROP, MIRROR_FIT_WHOLE})
                    for (const mirror_region& region : region_layout(h, w, fit, steps)) {
                        CHECK(region.height >= 1 && region.width >= 1 && region.y >= 0 &&
                              region.x >= 0);
                        CHECK(region.y + region.height <= h && region.x + region.width <= w);
                    }
            }
}

TEST(RegionLayout_BadArguments_AreNamed) {
    const int32_t steps[] = {3, 5}, zero[] = {0}, huge[] = {30000};
    int64_t count = -1;
    CHECK_FAILS(mirror_region_layout(2, 3, MIRROR_FIT_CROP, steps, 2, nullptr, 0, &count),
                MIRROR_E_INVALID_ARGUMENT,
                "{3, 5}");
    CHECK_FAILS(mirror_region_layout(0, 3, MIRROR_FIT_CROP, steps, 2, nullptr, 0, &count),
                MIRROR_E_INVALID_ARGUMENT,
                "0 x 3");
    CHECK_FAILS(mirror_region_layout(9, 9, MIRROR_FIT_CROP, zero, 1, nullptr, 0, &count),
                MIRROR_E_INVALID_ARGUMENT,
                "step is 0");
    CHECK_FAILS(mirror_region_layout(9, 9, MIRROR_FIT_CROP, steps, 9, nullptr, 0, &count),
                MIRROR_E_INVALID_ARGUMENT,
                "step_count is 9");
    CHECK_FAILS(mirror_region_layout(65535, 65535, MIRROR_FIT_CROP, huge, 1, nullptr, 0, &count),
                MIRROR_E_INVALID_ARGUMENT,
                "at most");
    CHECK_FAILS(mirror_region_layout(9, 9, MIRROR_FIT_WHOLE, huge, 1, nullptr, 0, &count),
                MIRROR_E_INVALID_ARGUMENT,
                "900000000 regions");
    CHECK_FAILS(mirror_region_layout(9, 9, 2, steps, 2, nullptr, 0, &count),
                MIRROR_E_INVALID_ARGUMENT,
                "fit is 2");
    mirror_region one{};
    CHECK_FAILS(mirror_region_layout(28, 28, MIRROR_FIT_CROP, steps, 2, &one, 1, &count),
                MIRROR_E_INVALID_ARGUMENT,
                "capacity is 1");
    CHECK_EQ(count, 34);
}

TEST(RegionPool_GoldenVectors_AreEqual) {
    const auto file = golden();
    const test::TestDevice device;
    const std::map<std::string, int32_t> pools{
        {"MAX", MIRROR_POOL_MAX}, {"AVG", MIRROR_POOL_AVG}, {"L2", MIRROR_POOL_L2}};
    int checked = 0;
    for (const mirror::Tensor& tensor : file.tensors()) {
        if (tensor.name.rfind("rmac_", 0) != 0) continue;
        // rmac_MAP_STEPS_POOL, [n, c, regions]
        const size_t a = tensor.name.find('_', 5), b = tensor.name.find('_', a + 1);
        const std::string map_name = tensor.name.substr(5, a - 5),
                          list = tensor.name.substr(a + 1, b - a - 1);
        const int32_t pool = pools.at(tensor.name.substr(b + 1));
        std::vector<int32_t> steps;
        for (const char c : list)
            if (c != '-') steps.push_back(c - '0');
        const mirror::Tensor& map_tensor = file.at("map_" + map_name);
        const auto map = file.values<float>(map_tensor), expected = file.values<float>(tensor);
        const int n = static_cast<int>(map_tensor.shape[0]),
                  h = static_cast<int>(map_tensor.shape[1]);
        const int w = static_cast<int>(map_tensor.shape[2]),
                  c = static_cast<int>(map_tensor.shape[3]);
        const int64_t regions = tensor.shape[2];
        test::Guarded<float> out(expected.size());
        CHECK_OK(mirror_region_pool(device,
                                    map.data(),
                                    n,
                                    h,
                                    w,
                                    c,
                                    MIRROR_FIT_CROP,
                                    steps.data(),
                                    static_cast<int32_t>(steps.size()),
                                    pool,
                                    0,
                                    out.data()));
        out.check();
        for (int i = 0; i < n; ++i)
            for (int64_t r = 0; r < regions; ++r)
                for (int k = 0; k < c; ++k) {
                    const float want = expected[(static_cast<int64_t>(i) * c + k) * regions + r];
                    const float got = out[(i * regions + r) * c + k];
                    CHECK_NEAR(
                        got, want, pool == MIRROR_POOL_MAX ? 0.0 : 1e-6 * std::abs(want) + 1e-7);
                }
        ++checked;
    }
    CHECK_EQ(checked, 61);
}

struct Pooling {
    int32_t pool;
    float p;
};

// Sums are in double: one rounding to float. On a GPU a power that is not whole comes from the
// special function unit (kernels/common/power.cuh).
double tolerance(const Pooling& pooling) {
    const bool whole = pooling.p == std::floor(pooling.p);
    return test::on_gpu() && pooling.pool == MIRROR_POOL_GEM && !whole ? 6e-7 : 2e-7;
}

void check_pooled(const std::vector<float>& map,
                  int n,
                  int h,
                  int w,
                  int c,
                  int32_t fit,
                  const Pooling& pooling,
                  double beneath = 0) {  // absolute error
    const test::TestDevice device;
    const int32_t steps[] = {1, 2, 4};
    const auto regions = region_layout(h, w, fit, steps);
    test::Guarded<float> out(static_cast<size_t>(n) * regions.size() * static_cast<size_t>(c));
    CHECK_OK(mirror_region_pool(
        device, map.data(), n, h, w, c, fit, steps, 3, pooling.pool, pooling.p, out.data()));
    out.check();
    for (size_t i = 0; i < out.size(); ++i) {
        const size_t image = i / static_cast<size_t>(c) / regions.size();
        const double want = test::region_ref(map.data() + image * static_cast<size_t>(h * w * c),
                                             w,
                                             c,
                                             static_cast<int>(i % static_cast<size_t>(c)),
                                             regions[i / static_cast<size_t>(c) % regions.size()],
                                             pooling.pool,
                                             pooling.p);
        CHECK_NEAR(out[i], want, tolerance(pooling) * std::abs(want) + beneath);
    }
}

TEST(RegionPool_RaggedChannels_MatchReference) {
    test::Rng rng;
    for (const int c : {1, 31, 33, 64, 65, 200}) {
        const auto map = rng.floats(static_cast<size_t>(2) * 9 * 15 * c, -3, 1);
        for (const Pooling& pooling : {Pooling{MIRROR_POOL_MAX, 0},
                                       {MIRROR_POOL_AVG, 0},
                                       {MIRROR_POOL_L2, 0},
                                       {MIRROR_POOL_GEM, 3},
                                       {MIRROR_POOL_GEM, 2.5f}})
            for (const int32_t fit : {MIRROR_FIT_CROP, MIRROR_FIT_WHOLE})
                check_pooled(map, 2, 9, 15, c, fit, pooling);
    }
}

// Activations of one channel from 1e-8 to 1e4, to the largest float, and in few steps between:
// 1e4^32 is beyond float, 1e38^32 beyond double.
TEST(RegionPool_GemOfExtremes_MatchesReference) {
    test::Rng rng;
    constexpr int h = 9, w = 15, c = 40;
    for (const double largest : {1e4, 3.4e38}) {
        std::vector<float> map(static_cast<size_t>(h) * w * c);
        for (float& value : map)
            value = static_cast<float>(std::exp(rng.uniform(std::log(1e-8), std::log(largest))));
        for (size_t i = 0; i < map.size(); i += c) map[i] = static_cast<float>(largest);
        for (const float p : {1.f, 1.0625f, 2.f, 3.f, 7.f, 12.5f, 31.f, 32.f})
            check_pooled(map,
                         1,
                         h,
                         w,
                         c,
                         MIRROR_FIT_WHOLE,
                         {MIRROR_POOL_GEM, p},
                         largest > 1e12 ? largest * 0x1p-60 : 0);
    }
}

TEST(RegionPool_Gem_LiesBetweenMeanAndMaximum) {
    const test::TestDevice device;
    const float map[] = {1, 2, 4, -9};  // counts as 1e-6
    const int32_t step = 1;
    const auto pooled = [&](int32_t pool, float p) {
        float out = 0;
        CHECK_OK(
            mirror_region_pool(device, map, 1, 2, 2, 1, MIRROR_FIT_CROP, &step, 1, pool, p, &out));
        return static_cast<double>(out);
    };
    CHECK_NEAR(pooled(MIRROR_POOL_GEM, 1), (7 + 1e-6) / 4, 2e-6);
    CHECK_NEAR(pooled(MIRROR_POOL_GEM, 3), std::cbrt(73 / 4.0), 3e-6);
    CHECK_NEAR(pooled(MIRROR_POOL_GEM, 32), 4 / std::pow(4, 1 / 32.0), 4e-6);
}

TEST(RegionPool_NaN_ReachesTheMean) {
    const test::TestDevice device;
    const float map[] = {1, NAN, 3, NAN};
    const int32_t step = 1;
    for (const int32_t pool : {MIRROR_POOL_AVG, MIRROR_POOL_L2, MIRROR_POOL_GEM})
        for (const float p : {3.f, 2.5f}) {
            float out[2] = {};
            CHECK_OK(mirror_region_pool(
                device, map, 1, 2, 1, 2, MIRROR_FIT_CROP, &step, 1, pool, p, out));
            CHECK(out[0] > 0 && std::isnan(out[1]));
        }
}

TEST(RegionPool_BadPower_IsNamed) {
    const test::TestDevice device;
    const float map = 1;
    const int32_t step = 1;
    float out = 0;
    const auto pool = [&](int32_t kind, float p) {
        return mirror_region_pool(
            device, &map, 1, 1, 1, 1, MIRROR_FIT_CROP, &step, 1, kind, p, &out);
    };
    CHECK_FAILS(pool(MIRROR_POOL_GEM, 0.5f), MIRROR_E_INVALID_ARGUMENT, "gem_p is 0.5");
    CHECK_FAILS(pool(MIRROR_POOL_GEM, 32.5f), MIRROR_E_INVALID_ARGUMENT, "gem_p is 32.5");
    CHECK_FAILS(pool(MIRROR_POOL_GEM, NAN), MIRROR_E_INVALID_ARGUMENT, "gem_p is nan");
    CHECK_FAILS(pool(4, 3), MIRROR_E_INVALID_ARGUMENT, "pool is 4");
    CHECK_OK(pool(MIRROR_POOL_MAX, NAN));  // not read
}

}  // namespace
