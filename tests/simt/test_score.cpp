// score_f32, score_f16 and reduce_products_f32 against double-precision references: ragged groups, images larger than a
// tile, both similarities and metrics, distances that cancel.
#include "harness.h"
#include "kernel_fixture.h"
#include "search/score_f32.cu"

namespace {

struct Shape {
    int64_t nq, nd;
    int regions, dim;
};
constexpr Shape kShapes[] = {{1, 1, 1, 1},   {130, 131, 1, 12}, {3, 70, 1, 9},  {65, 67, 2, 8},  {4, 16, 35, 33},
                             {2, 3, 46, 20}, {3, 2, 128, 4},    {2, 2, 130, 5}, {1, 2, 600, 10}, {9, 65, 8, 3}};
// A tile's float sums of up to 33 products of vectors no longer than 1 are within 2e-7 of the exact ones; distances, of
// terms up to 4, within four times that, and 1e-6 relative where they are summed from differences.
constexpr double kTolerance = 1e-6;

template <class T>
struct Rows {
    test::DeviceMemory<T> memory;
    const T* first;
    Rows(const std::vector<float>& values, size_t offset)
        : memory(values.size() + offset), first(memory.data() + offset) {
        const std::vector<T> narrow = test::narrow<T>(values);
        std::copy(narrow.begin(), narrow.end(), memory.data() + offset);
    }
};

// Lengths differ, from 0.5 to 1, so that no row's squared length will do for another.
std::vector<float> random_rows(test::Rng& rng, int64_t count, int dim) {
    auto rows = rng.floats(static_cast<size_t>(count) * dim);
    for (int64_t r = 0; r < count; ++r) {
        double squares = 1e-30;
        for (int k = 0; k < dim; ++k) squares += std::pow(double(rows[r * dim + k]), 2);
        const double scale = rng.uniform(0.5, 1) / std::sqrt(squares);
        for (int k = 0; k < dim; ++k) rows[r * dim + k] = static_cast<float>(rows[r * dim + k] * scale);
    }
    return rows;
}

double best_match(const double* products, const double* distances, int regions, int metric) {
    return metric ? *std::min_element(distances, distances + regions) : *std::max_element(products, products + regions);
}

template <class T>
void check(void (*kernel)(const ScoreParams), const Shape& s, int similarity, int metric, size_t offset,
           int rows_of_blocks) {
    test::Rng rng(static_cast<uint64_t>(s.regions * 1000 + s.dim));
    auto q = random_rows(rng, s.nq * s.regions, s.dim), d = random_rows(rng, s.nd * s.regions, s.dim);
    const int64_t image = static_cast<int64_t>(s.regions) * s.dim;
    // The last database image repeats the first query, the one before is close to it: their distances cancel.
    std::copy_n(q.begin(), image, d.end() - image);
    if (s.nd > 1)
        for (int64_t i = 0; i < image; ++i)
            d[(s.nd - 2) * image + i] = q[i] + static_cast<float>(rng.uniform(-2e-3, 2e-3));
    const Rows<T> queries(q, offset), rows(d, offset);
    const int64_t pitch = s.nd + 3;
    test::DeviceMemory<float> scores(static_cast<size_t>(s.nq * pitch));
    const ScoreParams p{queries.first, rows.first, scores.data(), s.nq,   s.nd,   pitch,
                        s.regions,     s.dim,      similarity,    metric, nullptr};
    std::vector<double> want;
    std::vector<double> products(static_cast<size_t>(s.regions)), distances(products.size());
    for (int64_t i = 0; i < s.nq; ++i)
        for (int64_t j = 0; j < s.nd; ++j) {
            double sum = 0, best = -INFINITY;
            for (int r = 0; r < s.regions; ++r) {
                for (int t = 0; t < s.regions; ++t) {
                    products[t] = distances[t] = 0;
                    for (int k = 0; k < s.dim; ++k) {
                        const double a = test::widen(queries.first[i * image + r * s.dim + k]);
                        const double b = test::widen(rows.first[j * image + t * s.dim + k]);
                        products[t] += a * b, distances[t] += (a - b) * (a - b);
                    }
                }
                const double m = best_match(products.data(), distances.data(), s.regions, metric);
                sum += m, best = std::max(best, m);
            }
            want.push_back(similarity == 0 ? sum : best);
        }
    LaunchShape shape = score_launch(p);
    if (rows_of_blocks) shape.y = std::min<long long>(shape.y, rows_of_blocks);
    std::vector<float> first;
    const auto after = [&] {
        scores.check();
        for (int64_t i = 0; i < s.nq; ++i) {
            for (int64_t j = 0; j < s.nd; ++j) {
                const double expected = want[i * s.nd + j], got = scores[static_cast<size_t>(i * pitch + j)];
                // A region's nearest is exact where its distance cancels: identical images are 0 apart.
                const double scale = metric && i == 0 && j >= s.nd - 2 ? std::abs(expected)
                                     : similarity == 0                 ? s.regions
                                                                       : 1;
                CHECK_NEAR(got, expected, kTolerance * scale);
            }
            CHECK(scores.untouched(static_cast<size_t>(i * pitch + s.nd), static_cast<size_t>((i + 1) * pitch)));
        }
        const auto got = scores.values();
        if (first.empty()) first = got;
        CHECK(std::memcmp(first.data(), got.data(), got.size() * sizeof(float)) == 0);
    };
    test::run_schedules(
        kernel, shape, p, [&] { scores.reset(); }, after);
}

template <class T>
void check_all(void (*kernel)(const ScoreParams), size_t offset, int rows_of_blocks) {
    for (const Shape& shape : kShapes)
        for (const int similarity : {0, 1})
            for (const int metric : {0, 1}) check<T>(kernel, shape, similarity, metric, offset, rows_of_blocks);
}

TEST(Score_F32_MatchesReference) {
    check_all<float>(score_f32, 0, 0);
}
TEST(Score_F16_MatchesReference) {
    check_all<f16>(score_f16, 0, 0);
}
TEST(Score_UnalignedRows_MatchReference) {
    for (const int metric : {0, 1}) {
        check<float>(score_f32, {4, 16, 35, 16}, 0, metric, 1, 0);
        check<f16>(score_f16, {4, 16, 35, 16}, 0, metric, 2, 0);
    }
}
TEST(Score_FewBlocks_TakeSeveralGroupsOfQueries) {
    for (const int metric : {0, 1}) {
        check<float>(score_f32, {10, 9, 35, 12}, 0, metric, 0, 2);
        check<float>(score_f32, {300, 9, 1, 8}, 0, metric, 0, 1);
        check<float>(score_f32, {3, 2, 150, 8}, 1, metric, 0, 1);
    }
}

TEST(ReduceProducts_RaggedShapes_MatchReference) {
    for (const Shape& s : {Shape{1, 1, 1, 0}, {5, 9, 35, 0}, {3, 4, 8, 0}, {2, 3, 46, 0}, {7, 5, 3, 0}, {1, 2, 130, 0}})
        for (const int similarity : {0, 1}) {
            test::Rng rng(static_cast<uint64_t>(s.regions));
            const int64_t product_pitch = s.nd * s.regions + 2, pitch = s.nd + 1;
            test::DeviceMemory<float> products(static_cast<size_t>(s.nq * s.regions * product_pitch));
            test::DeviceMemory<float> scores(static_cast<size_t>(s.nq * pitch));
            for (size_t i = 0; i < products.size(); ++i)
                if (static_cast<int64_t>(i) % product_pitch < s.nd * s.regions)
                    products[i] = static_cast<float>(rng.uniform(-1, 0.2));
            const ReduceProductsParams p{products.data(), scores.data(), s.nq,      s.nd,
                                         pitch,           product_pitch, s.regions, similarity};
            const auto after = [&] {
                scores.check();
                for (int64_t i = 0; i < s.nq; ++i)
                    for (int64_t j = 0; j < s.nd; ++j) {
                        double sum = 0, best = -INFINITY;
                        for (int r = 0; r < s.regions; ++r) {
                            const float* row = products.data() + (i * s.regions + r) * product_pitch + j * s.regions;
                            const double m = *std::max_element(row, row + s.regions);
                            sum += m, best = std::max(best, m);
                        }
                        const double want = similarity == 0 ? sum : best;  // maxima are exact, the sum is in double
                        CHECK_NEAR(scores[static_cast<size_t>(i * pitch + j)], want, 6e-8 * std::abs(want) + 1e-12);
                    }
                for (int64_t i = 0; i < s.nq; ++i)
                    CHECK(
                        scores.untouched(static_cast<size_t>(i * pitch + s.nd), static_cast<size_t>((i + 1) * pitch)));
            };
            test::run_schedules(
                reduce_products_f32, reduce_products_launch(p), p, [&] { scores.reset(); }, after);
        }
}

}  // namespace
