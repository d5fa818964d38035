// Similarity, exact search and query expansion against double-precision references: every
// similarity and metric, ragged shapes, duplicates (ties), chunks, cancellation.
#include "harness.h"
#include "reference.h"

namespace {

struct Owned {
    Owned(mirror_device* device, int regions, int dim) {
        CHECK_OK(mirror_index_create(&handle, device, regions, dim, MIRROR_PRECISION_FP32));
    }
    ~Owned() { mirror_index_destroy(handle); }
    operator mirror_index*() const { return handle; }
    mirror_index* handle = nullptr;
};

mirror_search_options options_of(int32_t top, int32_t similarity = 0, int32_t metric = 0) {
    mirror_search_options options;
    mirror_search_options_init(&options);
    options.top = top;
    options.similarity = similarity;
    options.metric = metric;
    return options;
}

mirror_expand_options expansion_of(int32_t neighbours, double alpha = 1, int32_t pairing = 0) {
    mirror_expand_options options;
    mirror_expand_options_init(&options);
    options.neighbours = neighbours;
    options.alpha = alpha;
    options.pairing = pairing;
    return options;
}

std::vector<float> unit_rows(test::Rng& rng, mirror_device* device, int64_t count, int dim) {
    auto rows = rng.floats(static_cast<size_t>(count) * dim);
    CHECK_OK(mirror_l2_normalize(device, rows.data(), count, dim, rows.data()));
    return rows;
}

// All of search against the references for one shape; image 3 repeats image 0, so there are exact
// ties.
void check_shape(int64_t n, int64_t nq, int regions, int dim) {
    const test::TestDevice device;
    test::Rng rng(static_cast<uint64_t>(n * 1000003 + regions * 1009 + dim));
    auto rows = unit_rows(rng, device, n * regions, dim);
    const size_t image = static_cast<size_t>(regions) * dim;
    if (n > 3) std::copy_n(rows.begin(), image, rows.begin() + 3 * image);
    const auto queries = std::vector<float>(rows.begin(), rows.begin() + std::min(n, nq) * image);
    const int64_t count = static_cast<int64_t>(queries.size() / image);
    const Owned index(device, regions, dim);
    CHECK_OK(mirror_index_add(index, rows.data(), n / 2));
    CHECK_OK(mirror_index_add(index, rows.data() + n / 2 * image, n - n / 2));
    for (const int32_t similarity : {MIRROR_SIMILARITY_PR_MAC, MIRROR_SIMILARITY_AML})
        for (const int32_t metric : {MIRROR_METRIC_DOT, MIRROR_METRIC_EUCLIDEAN}) {
            test::Guarded<float> scores(static_cast<size_t>(count * n));
            CHECK_OK(mirror_similarity(device,
                                       queries.data(),
                                       count,
                                       rows.data(),
                                       n,
                                       regions,
                                       dim,
                                       similarity,
                                       metric,
                                       scores.data()));
            scores.check();
            const auto want = test::similarity_ref(queries, rows, regions, dim, similarity, metric);
            for (size_t i = 0; i < want.size(); ++i)
                CHECK_NEAR(scores[i] / regions, want[i] / regions, 2e-6);
            if (n > 3)
                for (int64_t q = 0; q < count; ++q) CHECK_EQ(scores[q * n], scores[q * n + 3]);
            for (const int64_t k : {int64_t{1}, (n + 1) / 2, n}) {
                const auto options = options_of(static_cast<int32_t>(k), similarity, metric);
                test::Guarded<int32_t> ids(static_cast<size_t>(count * k));
                test::Guarded<float> best(ids.size());
                CHECK_OK(mirror_index_search(
                    index, queries.data(), count, &options, ids.data(), best.data()));
                ids.check();
                best.check();
                for (int64_t q = 0; q < count; ++q) {
                    const auto order = test::order_ref(
                        scores.data() + q * n, n, metric == MIRROR_METRIC_EUCLIDEAN);
                    for (int64_t i = 0; i < k; ++i) {
                        CHECK_EQ(ids[q * k + i], order[i]);
                        CHECK_EQ(best[q * k + i], scores[q * n + order[i]]);
                    }
                }
            }
        }
}

TEST(Search_OneImage_FindsItself) {
    check_shape(1, 1, 35, 64);
}
TEST(Search_OneRegion_MatchesReference) {
    for (const int dim : {1, 7, 64, 256}) check_shape(700, 20, 1, dim);
}
TEST(Search_TwoRegions_MatchesReference) {
    check_shape(150, 150, 2, 7);
}
TEST(Search_FourteenRegions_MatchesReference) {
    check_shape(120, 50, 14, 33);
}
TEST(Search_ThirtyFiveRegions_MatchesReference) {
    check_shape(61, 20, 35, 64);
}
TEST(Search_FortySixRegions_MatchesReference) {
    check_shape(23, 9, 46, 7);
}
TEST(Search_MoreRegionsThanATile_MatchesReference) {
    check_shape(5, 3, 500, 4);
}

TEST(Search_SeveralChunks_FindsEveryImageAgain) {
    const test::TestDevice device;
    test::Rng rng;
    const int regions = 2, dim = 4096;  // 32 KB an image: 16 MB chunks end near image 500
    const int64_t n = 1300;
    const auto rows = unit_rows(rng, device, n * regions, dim);
    const Owned index(device, regions, dim);
    for (int64_t first = 0; first < n; first += 100)
        CHECK_OK(mirror_index_add(index, rows.data() + first * regions * dim, 100));
    int64_t size = 0;
    CHECK_OK(mirror_index_size(index, &size));
    CHECK_EQ(size, n);
    const int64_t picks[] = {0, 447, 448, 511, 512, 999, 1299};
    for (const int64_t pick : picks) {
        const auto options = options_of(1);
        int32_t id = -1;
        float score = 0;
        CHECK_OK(mirror_index_search(
            index, rows.data() + pick * regions * dim, 1, &options, &id, &score));
        CHECK_EQ(id, pick);
        CHECK_NEAR(score, regions, 1e-5);
    }
}

TEST(Search_OnOneThread_GivesTheSameBits) {
    if (!MIRROR_HAS_CPU) SKIP("threads are the CPU backend's");
    test::Rng rng;
    std::vector<float> rows, first;
    for (const int threads : {1, 3}) {
        mirror_device* device = nullptr;
        CHECK_OK(mirror_device_create(&device, "cpu", threads));
        if (rows.empty()) rows = unit_rows(rng, device, 90 * 14, 33);
        const Owned index(device, 14, 33);
        mirror_device_destroy(device);  // the index keeps it
        CHECK_OK(mirror_index_add(index, rows.data(), 90));
        const auto options = options_of(90);
        std::vector<int32_t> ids(90 * 90);
        std::vector<float> scores(ids.size());
        CHECK_OK(mirror_index_search(index, rows.data(), 90, &options, ids.data(), scores.data()));
        if (first.empty()) first = scores;
        CHECK(scores == first);
    }
}

TEST(Search_Cancelled_StopsWithItsStatus) {
    const test::TestDevice device;
    test::Rng rng;
    const auto rows = unit_rows(rng, device, 200 * 35, 16);
    const Owned index(device, 35, 16);
    CHECK_OK(mirror_index_add(index, rows.data(), 200));
    std::vector<int64_t> reports;
    const auto record = [](int64_t done, int64_t total, void* data) -> int32_t {
        static_cast<std::vector<int64_t>*>(data)->push_back(done);
        // A GPU takes so few queries in one strip: it can stop before the first only.
        return total == 200 && (done > 0 || test::on_gpu()) && done < total;
    };
    const mirror_progress progress{record, &reports};
    auto options = options_of(3);
    options.progress = &progress;
    std::vector<int32_t> ids(600);
    std::vector<float> scores(600);
    CHECK_FAILS(mirror_index_search(index, rows.data(), 200, &options, ids.data(), scores.data()),
                MIRROR_E_CANCELLED,
                "of 200");
    CHECK_EQ(reports.size(), size_t{test::on_gpu() ? 1u : 2u});
    CHECK_EQ(reports[0], 0);
}

TEST(Search_BadInput_NamesImageAndRegion) {
    const test::TestDevice device;
    const Owned index(device, 2, 3);
    std::vector<float> rows(4 * 6, 0.5f);
    auto options = options_of(3);
    int32_t ids[12];
    float scores[12];
    CHECK_FAILS(mirror_index_search(index, rows.data(), 1, &options, ids, scores),
                MIRROR_E_INVALID_ARGUMENT,
                "empty");
    rows[1 * 6 + 3 + 2] = INFINITY;
    CHECK_FAILS(mirror_index_add(index, rows.data(), 4),
                MIRROR_E_INVALID_ARGUMENT,
                "image 1, region 1 holds inf at 2");
    int64_t size = -1;
    CHECK_OK(mirror_index_size(index, &size));
    CHECK_EQ(size, 0);
    rows[1 * 6 + 3 + 2] = 3e20f;  // its square has no float
    CHECK_FAILS(mirror_index_add(index, rows.data(), 4), MIRROR_E_INVALID_ARGUMENT, "3e+20");
    rows[1 * 6 + 3 + 2] = 0.5f;
    CHECK_OK(mirror_index_add(index, rows.data(), 4));
    rows[3] = NAN;
    CHECK_FAILS(mirror_index_search(index, rows.data(), 1, &options, ids, scores),
                MIRROR_E_INVALID_ARGUMENT,
                "image 0, region 1 holds nan");
    rows[3] = 0.5f;
    options.top = 0;
    CHECK_FAILS(mirror_index_search(index, rows.data(), 1, &options, ids, scores),
                MIRROR_E_INVALID_ARGUMENT,
                "top is 0");
    options = options_of(99, 7);
    CHECK_FAILS(mirror_index_search(index, rows.data(), 1, &options, ids, scores),
                MIRROR_E_INVALID_ARGUMENT,
                "similarity is 7");
    CHECK_FAILS(mirror_index_add(index, rows.data(), -1), MIRROR_E_INVALID_ARGUMENT, "count is -1");
    CHECK_FAILS(mirror_index_add(index, rows.data(), INT64_MAX / 4),
                MIRROR_E_INVALID_ARGUMENT,
                "too large");
    options = options_of(99);  // capped at four
    CHECK_OK(mirror_index_search(index, rows.data(), 1, &options, ids, scores));
    for (int i = 0; i < 4; ++i) CHECK_EQ(ids[i], i);
}

// Every weight and pairing against sums in double; scores of both signs.
TEST(Expand_MatchesReference_AlsoInPlace) {
    const test::TestDevice device;
    test::Rng rng;
    const int regions = 5, dim = 12, n = 20, k = 6, neighbours = 4;
    const int64_t count = 3, image = regions * dim;
    const auto rows = unit_rows(rng, device, n * regions, dim);
    const Owned index(device, regions, dim);
    CHECK_OK(mirror_index_add(index, rows.data(), n));
    const std::vector<float> queries(rows.begin(), rows.begin() + count * image);
    const auto options = options_of(k);
    std::vector<int32_t> ids(count * k);
    std::vector<float> scores(ids.size());
    CHECK_OK(
        mirror_index_search(index, queries.data(), count, &options, ids.data(), scores.data()));
    scores[2] = -1.5f;  // a result that is unlike the query
    const struct {
        double alpha;
        int32_t pairing, signed_weights;
    } cases[] = {{1, 0, 1}, {1, 1, 1}, {0, 0, 0}, {1, 0, 0}, {2.5, 0, 0}, {3, 1, 0}};
    for (const auto& [alpha, pairing, signed_weights] : cases) {
        auto expansion = expansion_of(neighbours, alpha, pairing);
        expansion.signed_weights = signed_weights;
        test::Guarded<float> out(queries.size());
        CHECK_OK(mirror_index_expand(
            index, queries.data(), count, ids.data(), scores.data(), k, &expansion, out.data()));
        out.check();
        for (int64_t row = 0; row < count * regions; ++row) {
            const int64_t q = row / regions;
            const float* query = queries.data() + row * dim;
            std::vector<double> sum(query, query + dim);
            for (int j = 0; j < neighbours; ++j) {
                const float* neighbour = rows.data() + ids[q * k + j] * image;
                int64_t partner = row % regions;
                if (pairing == MIRROR_PAIRING_BEST) {
                    double best = -2;
                    for (int t = 0; t < regions; ++t) {
                        double dot = 0;
                        for (int i = 0; i < dim; ++i)
                            dot += static_cast<double>(query[i]) * neighbour[t * dim + i];
                        if (dot > best) best = dot, partner = t;
                    }
                }
                double weight = static_cast<double>(scores[q * k + j]) / regions;
                if (!signed_weights) weight = weight > 0 ? std::pow(weight, alpha) : alpha == 0;
                for (int i = 0; i < dim; ++i) sum[i] += weight * neighbour[partner * dim + i];
            }
            double square = 0;
            for (const double value : sum) square += value * value;
            for (int i = 0; i < dim; ++i)
                CHECK_NEAR(out[row * dim + i], sum[i] / std::sqrt(square), 1e-7);
        }
        std::vector<float> same = queries;
        CHECK_OK(mirror_index_expand(
            index, same.data(), count, ids.data(), scores.data(), k, &expansion, same.data()));
        CHECK(same == out.values());
    }
    // No neighbours: only normalised.
    const auto none = expansion_of(0);
    test::Guarded<float> out(image);
    CHECK_OK(mirror_index_expand(
        index, rows.data(), 1, ids.data(), scores.data(), k, &none, out.data()));
    out.check();
    for (int64_t i = 0; i < image; ++i) CHECK_NEAR(out[i], rows[i], 1e-7);
}

// The partner's lead is lost in float sums: 1e-9 beside 1.
TEST(Expand_BestPairing_DecidesInDouble) {
    const test::TestDevice device;
    const int regions = 2, dim = 2;
    const Owned index(device, regions, dim);
    const float rows[] = {1, 0, 1, 1e-5f};
    CHECK_OK(mirror_index_add(index, rows, 1));
    const float queries[] = {1, 1e-4f, 0, 1};
    const int32_t id = 0;
    const float score = 1;
    const auto expansion = expansion_of(1, 0, MIRROR_PAIRING_BEST);
    test::Guarded<float> out(regions * dim);
    CHECK_OK(mirror_index_expand(index, queries, 1, &id, &score, 1, &expansion, out.data()));
    out.check();
    // Both regions pair with the second: (1, 1e-4) + (1, 1e-5), and (0, 1) + (1, 1e-5).
    CHECK_NEAR(out[1], 1.1e-4 / 2, 1e-10);
    CHECK_NEAR(out[2], std::sqrt(0.5), 1e-5);
}

TEST(Expand_BadInput_IsRefusedWithValues) {
    const test::TestDevice device;
    const Owned index(device, 1, 2);
    const float rows[] = {1, 0, 0, 1};
    CHECK_OK(mirror_index_add(index, rows, 2));
    int32_t ids[] = {0, 1};
    float scores[] = {1, 0.5f}, out[2];
    const auto expand = [&](const mirror_expand_options& options) {
        return mirror_index_expand(index, rows, 1, ids, scores, 2, &options, out);
    };
    CHECK_OK(expand(expansion_of(2)));
    CHECK_FAILS(expand(expansion_of(-1)), MIRROR_E_INVALID_ARGUMENT, "neighbours is -1");
    CHECK_FAILS(expand(expansion_of(2, -0.5)), MIRROR_E_INVALID_ARGUMENT, "alpha is -0.5");
    CHECK_FAILS(expand(expansion_of(2, NAN)), MIRROR_E_INVALID_ARGUMENT, "alpha is nan");
    CHECK_FAILS(expand(expansion_of(2, 1, 2)), MIRROR_E_INVALID_ARGUMENT, "pairing is 2");
    auto options = expansion_of(2, 2);
    options.signed_weights = 1;
    CHECK_FAILS(expand(options), MIRROR_E_INVALID_ARGUMENT, "alpha is 2, but signed");
    options.signed_weights = 3;
    CHECK_FAILS(expand(options), MIRROR_E_INVALID_ARGUMENT, "signed_weights is 3");
    options = expansion_of(2);
    options.struct_size = 8;
    CHECK_FAILS(expand(options), MIRROR_E_INVALID_ARGUMENT, "struct_size is 8");
    scores[1] = NAN;
    CHECK_FAILS(expand(expansion_of(2)), MIRROR_E_INVALID_ARGUMENT, "query 0 holds nan at 1");
    ids[1] = 2;
    CHECK_FAILS(
        expand(expansion_of(2)), MIRROR_E_INVALID_ARGUMENT, "names image 2, the index holds 2");
}

}  // namespace
