// prmac_mma_f16_35x256_* on the emulator against a reference in double.
#include "kernel_fixture.h"
#include "search/prmac_mma.cu"
#include "simt.hpp"

namespace {

constexpr int kRegions = 35, kDim = 256;

// Unit rows in f16; `sign` +1 or -1 makes all elements positive or negative, 0 leaves both.
std::vector<f16> region_vectors(int64_t images, int sign, uint64_t stream) {
    test::Rng rng(stream);
    std::vector<f16> out;
    for (int64_t row = 0; row < images * kRegions; ++row) {
        std::vector<float> x = rng.floats(kDim);
        double norm = 0;
        for (float& v : x) v = sign == 0 ? v : sign * std::abs(v), norm += v * v;
        for (float v : x) out.push_back(test::narrow<f16>(static_cast<float>(v / std::sqrt(norm))));
    }
    return out;
}

struct Problem {
    int64_t nq, nd, pitch;
    test::DeviceMemory<f16> q, d;
    test::DeviceMemory<float> scores;
    std::vector<double> want;

    Problem(int64_t nq, int64_t nd, int sign = 0)
        : nq(nq),
          nd(nd),
          pitch(nd + 5),
          q(region_vectors(nq, sign, 1)),
          d(region_vectors(nd, -sign, 2)),
          scores(static_cast<size_t>((nq - 1) * pitch + nd)) {
        const auto wide_q = q.values(), wide_d = d.values();
        for (int64_t i = 0; i < nq; ++i)
            for (int64_t j = 0; j < nd; ++j) {
                double sum = 0;
                for (int r = 0; r < kRegions; ++r) {
                    double best = -INFINITY;
                    for (int t = 0; t < kRegions; ++t) {
                        const float* a = wide_q.data() + (i * kRegions + r) * kDim;
                        const float* b = wide_d.data() + (j * kRegions + t) * kDim;
                        double dot = 0;
                        for (int k = 0; k < kDim; ++k) dot += static_cast<double>(a[k]) * b[k];
                        best = std::max(best, dot);
                    }
                    sum += best;
                }
                want.push_back(sum);
            }
    }
    ScoreParams params() {
        ScoreParams p = {};
        p.q = q.data(), p.d = d.data(), p.scores = scores.data();
        p.nq = nq, p.nd = nd, p.pitch = pitch, p.regions = kRegions, p.dim = kDim;
        return p;
    }
    // Dot products of unit vectors are within some 1e-7, 35 of them add up to less than 35.
    void check() {
        scores.check();
        for (int64_t i = 0; i < nq; ++i)
            for (int64_t j = 0; j < pitch && i * pitch + j < static_cast<int64_t>(scores.size()); ++j) {
                const size_t at = static_cast<size_t>(i * pitch + j);
                if (j < nd)
                    CHECK_NEAR(scores[at], want[static_cast<size_t>(i * nd + j)], 1e-5);
                else
                    CHECK(scores.untouched(at, at + 1));
            }
    }
};

// The database as `strips` strips, in both query tiles; all must give the same bits.
void check(Problem& problem, std::initializer_list<int> strips) {
    std::vector<float> first;
    const auto check_all = [&](auto kernel, const char* name, LaunchShape shape) {
        CHECK_EQ(test::catalogued(name).threads, shape.threads);
        CHECK_EQ(test::catalogued(name).shared, shape.shared);
        for (int y : strips) {
            shape.y = y;
            test::run_schedules(
                kernel, shape, problem.params(), [&] { problem.scores.reset(); }, [&] { problem.check(); });
            const std::vector<float> now = problem.scores.values();
            if (first.empty()) first = now;
            CHECK(std::memcmp(first.data(), now.data(), now.size() * sizeof(float)) == 0);
        }
    };
    check_all(prmac_mma_f16_35x256_128, "prmac_mma_f16_35x256_128", prmac_mma_launch<Prmac_128>(problem.params(), 1));
    check_all(prmac_mma_f16_35x256_64, "prmac_mma_f16_35x256_64", prmac_mma_launch<Prmac_64>(problem.params(), 1));
}

}  // namespace

TEST(PrmacMma_OneImage_MatchesReference) {
    Problem problem(1, 1);
    check(problem, {1});
}
TEST(PrmacMma_SeveralChunksAndTiles_MatchReferenceInTheSameBits) {
    Problem problem(20, 19);  // 18 + 2 query images, or 9 + 9 + 2; 8 + 8 + 3 database images
    check(problem, {1, 2});
}
TEST(PrmacMma_MoreStripsThanTiles_MatchesReference) {
    Problem problem(4, 16);
    check(problem, {2, 5});
}
TEST(PrmacMma_NegativeProducts_MatchesReference) {
    Problem problem(2, 9, 1);
    check(problem, {1});
}

TEST(PrmacMma_LaunchOfAnySize_KeepsToGridAndStripLimits) {
    for (int64_t nq : {1, 17, 9368, 1000000})
        for (long long nd : {1ll, 9ll, 9368ll, 1000000ll, kPrmacMostImages<Prmac_64>})
            for (int processors : {1, 84, 132}) {
                ScoreParams p = {};
                p.nq = nq, p.nd = nd;
                const LaunchShape shape = prmac_mma_launch<Prmac_64>(p, processors);
                CHECK(shape.x * Prmac_64::CHUNK >= nq && shape.x < (1ll << 31));
                CHECK(shape.y >= 1 && shape.y <= 65535 && shape.y <= div_up(nd, kPrmacImages));
                CHECK(div_up(div_up(nd, kPrmacImages), shape.y) <= Prmac_64::TILES);
            }
    ScoreParams p = {};  // one image too many: more strips than a grid has, which is refused, and none too long
    p.nq = 1, p.nd = kPrmacMostImages<Prmac_64> + 1;
    CHECK_EQ(prmac_mma_launch<Prmac_64>(p, 1).y, 65536);
}
