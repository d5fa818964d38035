// topk_f32 against a stable sort: ties, signed zeros, NaN, every size of k, both orders, shared memory and workspace.
#include <numeric>

#include "harness.h"
#include "kernel_fixture.h"
#include "search/topk.cu"

namespace {

void check(std::vector<float> values, int64_t rows, int64_t n, int64_t pitch, int k, int smallest) {
    test::DeviceMemory<float> scores(values), best(static_cast<size_t>(rows) * k);
    test::DeviceMemory<int> ids(best.size());
    test::DeviceMemory<unsigned long long> workspace(static_cast<size_t>(rows * topk_workspace_words(k)));
    const TopkParams p{scores.data(), ids.data(), best.data(), workspace.data(), rows, n, pitch, k, smallest};
    std::vector<int> want;
    for (int64_t row = 0; row < rows; ++row) {
        const float* s = values.data() + row * pitch;
        std::vector<int> order(static_cast<size_t>(n));
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
            if (std::isnan(s[a]) || std::isnan(s[b])) return !std::isnan(s[a]) && std::isnan(s[b]);  // NaN last
            return smallest ? s[a] < s[b] : s[a] > s[b];
        });
        want.insert(want.end(), order.begin(), order.begin() + k);
    }
    const auto after = [&] {
        best.check(), ids.check(), workspace.check(), scores.check();
        for (size_t i = 0; i < want.size(); ++i) {
            CHECK_EQ(ids[i], want[i]);
            const float value = values[i / k * pitch + want[i]];
            CHECK(std::memcmp(&best[i], &value, sizeof value) == 0);
        }
    };
    const auto before = [&] { best.reset(), ids.reset(), workspace.reset(); };
    test::run_schedules(topk_f32, topk_launch(p), p, before, after);
}

TEST(TopK_RandomScores_EqualAStableSort) {
    test::Rng rng;
    for (const auto& [n, k] : {std::pair{1, 1}, {2, 1}, {100, 7}, {5000, 200}, {700, 700}, {4097, 64}, {9000, 1}})
        for (const int smallest : {0, 1}) {
            const int64_t pitch = n + 5;
            check(rng.floats(static_cast<size_t>(3 * pitch), -5, 30), 3, n, pitch, k, smallest);
        }
}

TEST(TopK_ManyTies_LowerIdsFirst) {
    test::Rng rng;
    for (const int levels : {1, 3, 50})
        for (const int k : {1, 33, 600, 1000}) {
            std::vector<float> values(2000);
            for (float& v : values) v = static_cast<float>(rng.index(levels));
            check(values, 2, 1000, 1000, k, levels % 2);
        }
}

TEST(TopK_MoreThanSharedMemoryHolds_UsesTheWorkspace) {
    test::Rng rng;
    auto values = rng.floats(6000);
    for (size_t i = 0; i < values.size(); i += 3) values[i] = 0.25f;
    check(values, 1, 6000, 6000, 5000, 0);
    check(values, 1, 6000, 6000, 6000, 1);
}

TEST(TopK_SignedZerosInfinitiesAndNaN_AreOrdered) {
    std::vector<float> values = {0.f, -0.f, NAN, 1e-40f, -1e-40f, INFINITY, -INFINITY, -0.f, 0.f, -NAN, 3e38f, -3e38f};
    for (const int smallest : {0, 1})
        for (const int k : {1, 4, 8, 11, 12}) check(values, 1, 12, 12, k, smallest);
}

}  // namespace
