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
            CHECK_THROWS(region_layout(side, side, steps),
                         MIRROR_E_INVALID_ARGUMENT,
                         mirror::text(side, " x ", side).c_str());
            continue;
        }
        const auto regions = region_layout(side, side, steps);
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

TEST(RegionLayout_EveryMapAndStep_StaysInsideTheMap) {
    for (int h = 1; h <= 40; ++h)
        for (int w = 1; w <= 40; w += 3)
            for (int32_t step = 1; step <= 9; ++step) {
                const int32_t steps[] = {1, step};
                for (const mirror_region& region : region_layout(h, w, steps)) {
                    CHECK(region.height >= 1 && region.width >= 1 && region.y >= 0 &&
                          region.x >= 0);
                    CHECK(region.y + region.height <= h && region.x + region.width <= w);
                }
            }
}

TEST(RegionLayout_BadArguments_AreNamed) {
    const int32_t steps[] = {3, 5}, zero[] = {0}, huge[] = {30000};
    int64_t count = -1;
    CHECK_FAILS(mirror_region_layout(2, 3, steps, 2, nullptr, 0, &count),
                MIRROR_E_INVALID_ARGUMENT,
                "{3, 5}");
    CHECK_FAILS(mirror_region_layout(0, 3, steps, 2, nullptr, 0, &count),
                MIRROR_E_INVALID_ARGUMENT,
                "0 x 3");
    CHECK_FAILS(mirror_region_layout(9, 9, zero, 1, nullptr, 0, &count),
                MIRROR_E_INVALID_ARGUMENT,
                "step is 0");
    CHECK_FAILS(mirror_region_layout(9, 9, steps, 9, nullptr, 0, &count),
                MIRROR_E_INVALID_ARGUMENT,
                "step_count is 9");
    CHECK_FAILS(mirror_region_layout(65535, 65535, huge, 1, nullptr, 0, &count),
                MIRROR_E_INVALID_ARGUMENT,
                "at most");
    mirror_region one{};
    CHECK_FAILS(mirror_region_layout(28, 28, steps, 2, &one, 1, &count),
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
                                    steps.data(),
                                    static_cast<int32_t>(steps.size()),
                                    pool,
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

TEST(RegionPool_RaggedChannels_MatchReference) {
    const test::TestDevice device;
    test::Rng rng;
    for (const int c : {1, 31, 33, 64, 65, 200})
        for (const int32_t pool : {MIRROR_POOL_MAX, MIRROR_POOL_AVG, MIRROR_POOL_L2}) {
            const int n = 2, h = 9, w = 15;
            const int32_t steps[] = {1, 2, 4};
            const auto map = rng.floats(static_cast<size_t>(n) * h * w * c, -3, 1);
            const auto regions = region_layout(h, w, steps);
            test::Guarded<float> out(n * regions.size() * c);
            CHECK_OK(
                mirror_region_pool(device, map.data(), n, h, w, c, steps, 3, pool, out.data()));
            out.check();
            for (size_t i = 0; i < out.size(); ++i) {
                const size_t image = i / c / regions.size();
                const double want = test::region_ref(map.data() + image * h * w * c,
                                                     w,
                                                     c,
                                                     static_cast<int>(i % c),
                                                     regions[i / c % regions.size()],
                                                     pool);
                CHECK_NEAR(out[i], want, 2e-7 * std::abs(want));
            }
        }
}

}  // namespace
