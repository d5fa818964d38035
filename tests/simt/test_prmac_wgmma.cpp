// prmac_wgmma_f16_35x256 against scores in double: strips, ragged tiles, images that straddle query tiles.
#include "search/prmac_wgmma.cu"

#include "harness.h"
#include "search/prmac_wgmma_maps.h"
#include "tensor_map_fixture.h"

namespace {

constexpr int R = kPrmacRegions, D = kPrmacDim;

test::DeviceMemory<f16> unit_rows(test::Rng& rng, int rows) {
    std::vector<float> v = rng.floats(size_t(rows) * D);
    for (int r = 0; r < rows; ++r) {
        double norm = 0;
        for (int i = 0; i < D; ++i) norm += double(v[size_t(r) * D + i]) * v[size_t(r) * D + i];
        for (int i = 0; i < D; ++i) v[size_t(r) * D + i] = float(v[size_t(r) * D + i] / std::sqrt(norm));
    }
    return test::DeviceMemory<f16>(test::narrow<f16>(v));
}

double reference(const f16* q, const f16* d) {
    double score = 0;
    for (int r = 0; r < R; ++r) {
        double best = -INFINITY;
        for (int t = 0; t < R; ++t) {
            double dot = 0;
            for (int i = 0; i < D; ++i) dot += double(test::widen(q[r * D + i])) * test::widen(d[t * D + i]);
            best = std::max(best, dot);
        }
        score += best;
    }
    return score;
}

struct Grid {
    int x, y;
};

// Products of unit rows in float, 256 terms each, then 35 additions: within 1e-5 of the double sum of 35 maxima. Every
// grid must give the same bits: a score depends on its two images only.
void check(int nq, int nd, int slack, const std::vector<Grid>& grids) {
    test::Rng rng;
    const test::DeviceMemory<f16> q = unit_rows(rng, nq * R), d = unit_rows(rng, nd * R);
    const int pitch = nd + slack;
    test::DeviceMemory<float> scores(size_t(nq) * pitch);
    ScoreParams p{};
    p.q = q.data(), p.d = d.data(), p.scores = scores.data();
    p.nq = nq, p.nd = nd, p.pitch = pitch, p.regions = R, p.dim = D;
    CHECK(prmac_wgmma::applies(p));
    const PrmacMaps shapes = prmac_wgmma_maps(p);
    const TensorMap maps[3] = {test::encode(shapes.query), test::encode(shapes.left), test::encode(shapes.right)};
    p.maps = maps;
    std::vector<double> want;
    for (int i = 0; i < nq; ++i)
        for (int j = 0; j < nd; ++j)
            want.push_back(reference(q.data() + size_t(i) * R * D, d.data() + size_t(j) * R * D));
    std::vector<float> first;
    for (const Grid& grid : grids)
        for (const simt::Options& schedule : test::schedules()) {
            scores.reset();
            LaunchShape shape = prmac_wgmma_launch(p, 132);
            shape.x = grid.x, shape.y = grid.y;
            test::run(prmac_wgmma_f16_35x256, shape, p, schedule);
            scores.check();
            std::vector<float> got;
            for (int i = 0; i < nq; ++i) {
                const size_t row = size_t(i) * pitch;
                CHECK(scores.untouched(row + nd, row + pitch));
                for (int j = 0; j < nd; ++j) {
                    got.push_back(scores[row + j]);
                    CHECK_NEAR(got.back(), want[size_t(i) * nd + j], 1e-5);
                }
            }
            if (first.empty()) first = got;
            CHECK(first == got);
        }
}

ScoreParams sizes(long long nq, long long nd) {
    ScoreParams p{};
    p.nq = nq, p.nd = nd, p.pitch = nd, p.regions = R, p.dim = D;
    return p;
}

}  // namespace

// Five query tiles of 64 rows for nine images: an odd number, so turns change sides with every database tile.
TEST(PrmacWgmma_RaggedSizes_MatchDouble) {
    check(9, 19, 5, {{3, 1}, {1, 1}, {2, 2}, {1, 4}});
}
// One query tile: the two consumers take whole database tiles in turns, and one skips every other.
TEST(PrmacWgmma_OneQuery_MatchesDouble) {
    check(1, 26, 0, {{1, 1}, {3, 1}});
}
TEST(PrmacWgmma_OneDatabaseImage_MatchesDouble) {
    check(4, 1, 3, {{1, 1}, {1, 3}});
}
// More strips than images: the last blocks have nothing to do.
TEST(PrmacWgmma_EmptyStrips_AreLeftAlone) {
    check(2, 3, 0, {{1, 5}});
}

TEST(PrmacWgmma_Launch_StaysWithinGridLimits) {
    for (long long nq : {1ll, 3ll, 127ll, 129ll, 9368ll, 1000000ll})
        for (long long nd : {1ll, 8ll, 9ll, 1000ll, 9368ll, 1000000ll}) {
            CHECK(prmac_wgmma::applies(sizes(nq, nd)));
            const LaunchShape shape = prmac_wgmma_launch(sizes(nq, nd), 132);
            CHECK(shape.x >= 1 && shape.x <= div_up(nd, 8) && shape.y >= 1 && shape.y <= div_up(nq, 9));
        }
    CHECK_EQ(prmac_wgmma_launch(sizes(1, 1000000), 132).x, 132);
    CHECK_EQ(prmac_wgmma_launch(sizes(9368, 9368), 132).y, 1);
    CHECK_EQ(prmac_wgmma_launch(sizes(9368, 1000), 132).y, 9);  // 125 tiles, 1,125 blocks
    CHECK_EQ(prmac_wgmma_launch(sizes(1000, 8), 132).y, 112);   // strips of 9 images
    CHECK(!prmac_wgmma::applies(sizes(100000000, 1)));
    CHECK_EQ(test::catalogue_shared("prmac_wgmma_f16_35x256"), prmac_wgmma::kShared);
}
