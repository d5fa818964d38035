// Whitening: the exact and the randomized PCA of the golden set, learning from pairs, saving and
// loading, ranks, refusals.
#include <fstream>

#include "harness.h"
#include "model/safetensors.h"
#include "retrieval/randomized.h"
#if MIRROR_HAS_CPU
#include <omp.h>

extern "C" int openblas_get_num_threads(void);
#endif

namespace {

#if MIRROR_HAS_CPU
int default_threads() {
    return omp_get_max_threads();
}
int threads_of_blas() {
    return openblas_get_num_threads();
}
#else
int default_threads() {
    return 0;
}
int threads_of_blas() {
    return 0;
}
#endif

struct Owned {
    ~Owned() { mirror_whitening_destroy(handle); }
    mirror_whitening* handle = nullptr;
};

void require_lapack() {
    if (!MIRROR_HAS_CPU) SKIP("fitting needs LAPACK, which a build with MIRROR_CPU=OFF has not");
}

mirror_whitening_info info_of(const mirror_whitening* whitening) {
    mirror_whitening_info info{};
    info.struct_size = sizeof info;
    CHECK_OK(mirror_whitening_get_info(whitening, &info));
    return info;
}

mirror_whitening_options options_of(int32_t dim, double variance = 0) {
    mirror_whitening_options options;
    mirror_whitening_options_init(&options);
    options.dim = dim;
    options.variance = variance;
    return options;
}

TEST(WhiteningFit_GoldenRows_GivesTheExactPca) {
    require_lapack();
    const auto file = mirror::SafeTensors::open(
        test::source_path("tests/data/whitening/golden.safetensors").string());
    const auto rows = file.values<float>(file.at("rows"));
    const auto mean = file.values<double>(file.at("mean"));
    const auto components = file.values<double>(file.at("components"));
    const auto variances = file.values<double>(file.at("variances"));
    const int dim = static_cast<int>(mean.size()), kept = static_cast<int>(variances.size());
    const int64_t count = static_cast<int64_t>(rows.size()) / dim;
    const test::TestDevice device;
    const auto options = options_of(kept);
    Owned fitted;
    CHECK_OK(mirror_whitening_fit(&fitted.handle, device, rows.data(), count, dim, &options));
    const auto info = info_of(fitted.handle);
    CHECK_EQ(info.input_dim, dim);
    CHECK_EQ(info.output_dim, kept);
    CHECK(info.explained > 0.2 && info.explained < 1);
    test::Guarded<double> m(mean.size()), c(components.size()), v(variances.size());
    CHECK_OK(mirror_whitening_get(fitted.handle, m.data(), c.data(), v.data()));
    m.check(), c.check(), v.check();
    // Rows are stored as float32 here: 6e-8 of their values, magnified by the gaps between
    // variances.
    for (size_t i = 0; i < mean.size(); ++i) CHECK_NEAR(m[i], mean[i], 1e-8);
    for (int i = 0; i < kept; ++i) {
        CHECK_NEAR(v[i], variances[i], 1e-8);
        double dot = 0, peak = 0;
        for (int j = 0; j < dim; ++j) {
            dot += c[i * dim + j] * components[i * dim + j];
            if (std::abs(c[i * dim + j]) > std::abs(peak)) peak = c[i * dim + j];
        }
        CHECK_NEAR(std::abs(dot), 1.0, 1e-8);
        CHECK(peak > 0);
    }
    // Whitened rows: unit length, and equal to the formula in double.
    test::Guarded<float> out(static_cast<size_t>(count) * kept);
    CHECK_OK(mirror_whitening_apply(fitted.handle, device, rows.data(), count, out.data()));
    out.check();
    for (int64_t row = 0; row < count; ++row) {
        std::vector<double> y(kept);
        double square = 0;
        for (int i = 0; i < kept; ++i) {
            for (int j = 0; j < dim; ++j) y[i] += (rows[row * dim + j] - m[j]) * c[i * dim + j];
            y[i] /= std::sqrt(v[i]);
            square += y[i] * y[i];
        }
        for (int i = 0; i < kept; ++i)
            CHECK_NEAR(out[row * kept + i], y[i] / std::sqrt(square), 1e-7);
    }
}

TEST(StandardNormals_AreRandomState0s) {
    const auto file = mirror::SafeTensors::open(
        test::source_path("tests/data/whitening/golden.safetensors").string());
    const auto want = file.values<double>(file.at("normals"));
    CHECK(mirror::standard_normals(want.size()) == want);
    const auto odd = mirror::standard_normals(7);
    CHECK(std::equal(odd.begin(), odd.end(), want.begin()));
}

// sklearn.decomposition.PCA(16, whiten=True) of 560 x 64 rows: signs included.
TEST(WhiteningFit_GoldenRows_GivesTheRandomizedPca) {
    require_lapack();
    const auto file = mirror::SafeTensors::open(
        test::source_path("tests/data/whitening/golden.safetensors").string());
    const auto rows = file.values<float>(file.at("rows"));
    const auto components = file.values<double>(file.at("components_randomized"));
    const auto variances = file.values<double>(file.at("variances_randomized"));
    const int kept = static_cast<int>(variances.size());
    const int dim = static_cast<int>(components.size()) / kept;
    const int64_t count = static_cast<int64_t>(rows.size()) / dim;
    const test::TestDevice device;
    for (const int32_t solver : {MIRROR_SOLVER_RANDOMIZED, MIRROR_SOLVER_AUTO}) {
        auto options = options_of(kept);
        options.solver = solver;
        Owned fitted;
        CHECK_OK(mirror_whitening_fit(&fitted.handle, device, rows.data(), count, dim, &options));
        test::Guarded<double> c(components.size()), v(variances.size());
        CHECK_OK(mirror_whitening_get(fitted.handle, nullptr, c.data(), v.data()));
        c.check(), v.check();
        // Rows are stored as float32 here.
        for (int i = 0; i < kept; ++i) CHECK_NEAR(v[i], variances[i], 1e-8);
        for (size_t i = 0; i < components.size(); ++i) CHECK_NEAR(c[i], components[i], 1e-6);
    }
}

TEST(WhiteningSolver_Auto_FollowsScikitLearnsThresholds) {
    CHECK(!mirror::auto_is_randomized(500, 500, 10));
    CHECK(mirror::auto_is_randomized(501, 64, 51));
    CHECK(!mirror::auto_is_randomized(501, 64, 52));  // 0.8 * 64 = 51.2
    CHECK(mirror::auto_is_randomized(12, 512, 8));
    CHECK(!mirror::auto_is_randomized(10, 512, 8));
}

// Where the spectrum falls fast the randomized solver is exact: tall and wide, also where start and
// rows are of one size.
TEST(WhiteningFit_FallingSpectrum_SolversAgree) {
    require_lapack();
    const test::TestDevice device;
    const struct {
        int64_t count;
        int dim, kept;
    } shapes[] = {{700, 20, 5}, {20, 700, 5}, {40, 40, 7}, {12, 9, 4}};
    for (const auto& [count, dim, kept] : shapes) {
        test::Rng rng(static_cast<uint64_t>(count));
        std::vector<float> rows(static_cast<size_t>(count) * dim);
        for (int k = 0; k < 8; ++k) {
            const auto left = rng.floats(count), right = rng.floats(dim);
            for (int64_t i = 0; i < count; ++i)
                for (int j = 0; j < dim; ++j)
                    rows[i * dim + j] += std::ldexp(left[i] * right[j], -2 * k);
        }
        std::vector<double> components[2], variances[2];
        double explained[2];
        for (const int32_t solver : {MIRROR_SOLVER_EXACT, MIRROR_SOLVER_RANDOMIZED}) {
            auto options = options_of(kept);
            options.solver = solver;
            Owned fitted;
            CHECK_OK(
                mirror_whitening_fit(&fitted.handle, device, rows.data(), count, dim, &options));
            components[solver].resize(static_cast<size_t>(kept) * dim);
            variances[solver].resize(kept);
            CHECK_OK(mirror_whitening_get(
                fitted.handle, nullptr, components[solver].data(), variances[solver].data()));
            explained[solver] = info_of(fitted.handle).explained;
        }
        CHECK_NEAR(explained[0], explained[1], 1e-9);
        for (int k = 0; k < kept; ++k) {
            CHECK_NEAR(variances[1][k] / variances[0][k], 1.0, 1e-6);
            double dot = 0;
            for (int j = 0; j < dim; ++j)
                dot += components[0][k * dim + j] * components[1][k * dim + j];
            CHECK_NEAR(std::abs(dot), 1.0, 1e-6);
        }
    }
}

// What defines the result, in plain double sums: differences of pairs have unit covariance, all
// rows are uncorrelated with falling second moments.
TEST(WhiteningLearn_Pairs_WhitensTheirDifferences) {
    require_lapack();
    const test::TestDevice device;
    test::Rng rng;
    const int64_t count = 5000;  // several blocks, the last one ragged
    const int dim = 6;
    auto queries = rng.floats(static_cast<size_t>(count) * dim);
    auto positives = queries;
    for (int64_t i = 0; i < count; ++i)
        for (int j = 0; j < dim; ++j) {
            queries[i * dim + j] *= 1 + j;
            positives[i * dim + j] = queries[i * dim + j] + 0.3f * rng.floats(1)[0] / (1 + j);
            if (j > 0) positives[i * dim + j] += 0.2f * (positives[i * dim] - queries[i * dim]);
        }
    Owned learned;
    CHECK_OK(mirror_whitening_learn(
        &learned.handle, device, queries.data(), positives.data(), count, dim, dim));
    CHECK(std::isnan(info_of(learned.handle).explained));
    test::Guarded<double> m(dim), p(dim * dim), v(dim);
    CHECK_OK(mirror_whitening_get(learned.handle, m.data(), p.data(), v.data()));
    m.check(), p.check(), v.check();
    std::vector<double> mean(dim), noise(dim * dim), spread(dim * dim);
    for (int64_t i = 0; i < count; ++i)
        for (int j = 0; j < dim; ++j) mean[j] += queries[i * dim + j] / static_cast<double>(count);
    const auto project = [&](const float* row, const float* other, int k) {
        double sum = 0;
        for (int j = 0; j < dim; ++j)
            sum += p[k * dim + j] * (static_cast<double>(row[j]) - (other ? other[j] : mean[j]));
        return sum;
    };
    for (int64_t i = 0; i < count; ++i) {
        const float* q = queries.data() + i * dim;
        const float* o = positives.data() + i * dim;
        for (int a = 0; a < dim; ++a)
            for (int b = 0; b < dim; ++b) {
                noise[a * dim + b] += project(q, o, a) * project(q, o, b) / count;
                spread[a * dim + b] += (project(q, nullptr, a) * project(q, nullptr, b) +
                                        project(o, nullptr, a) * project(o, nullptr, b)) /
                                       count;
            }
    }
    for (int j = 0; j < dim; ++j) {
        CHECK_NEAR(m[j], mean[j], 1e-12);
        CHECK_EQ(v[j], 1.0);
        if (j > 0) CHECK(spread[j * dim + j] < spread[(j - 1) * dim + j - 1]);
        for (int k = 0; k < dim; ++k) {
            CHECK_NEAR(noise[j * dim + k], j == k ? 1.0 : 0.0, 1e-9);
            if (j != k) CHECK_NEAR(spread[j * dim + k] / spread[0], 0.0, 1e-9);
        }
    }
}

// Two rows differ in one direction: the ridge makes the covariance of the differences invertible.
TEST(WhiteningLearn_SingularDifferences_AreRidged) {
    require_lapack();
    const test::TestDevice device;
    const float queries[] = {1, 0, 0, 1, -1, 0, 0, -1}, positives[] = {1, 1, 0, 2, -1, 1, 0, 0};
    Owned learned;
    CHECK_OK(mirror_whitening_learn(&learned.handle, device, queries, positives, 4, 2, 1));
    double component[2];
    CHECK_OK(mirror_whitening_get(learned.handle, nullptr, component, nullptr));
    // Only y differs within pairs (variance 1, x has none but the ridge): x comes first.
    CHECK_NEAR(std::abs(component[0]) / std::sqrt(1e10), 1.0, 1e-6);
    CHECK(std::abs(component[1]) < 1);
}

TEST(WhiteningLearn_BadInput_IsRefusedWithValues) {
    require_lapack();
    const test::TestDevice device;
    test::Rng rng;
    auto queries = rng.floats(4 * 3), positives = rng.floats(4 * 3);
    mirror_whitening* out = nullptr;
    const auto learn = [&](int64_t count, int32_t kept) {
        return mirror_whitening_learn(
            &out, device, queries.data(), positives.data(), count, 3, kept);
    };
    CHECK_FAILS(learn(1, 1), MIRROR_E_INVALID_ARGUMENT, "count is 1 pairs");
    CHECK_FAILS(learn(2, 1), MIRROR_E_INVALID_ARGUMENT, "count is 2 pairs, expected >= 3 (dim)");
    CHECK_FAILS(learn(4, 4), MIRROR_E_INVALID_ARGUMENT, "output_dim is 4, expected 1..3");
    CHECK_FAILS(learn(4, 0), MIRROR_E_INVALID_ARGUMENT, "output_dim is 0");
    CHECK_FAILS(learn(INT64_MAX / 2, 1), MIRROR_E_INVALID_ARGUMENT, "queries is too large");
    positives[5] = INFINITY;
    CHECK_FAILS(learn(4, 2), MIRROR_E_INVALID_ARGUMENT, "positives: row 1 holds inf at 2");
    std::fill(queries.begin(), queries.end(), 0.5f);
    positives = queries;
    CHECK_FAILS(learn(4, 1), MIRROR_E_INVALID_ARGUMENT, "rows of all 4 pairs are equal");
    queries = rng.floats(4 * 3), positives = rng.floats(4 * 3);
    for (int i = 0; i < 4; ++i) queries[3 * i + 2] = positives[3 * i + 2] = 0;
    CHECK_FAILS(learn(4, 3),
                MIRROR_E_INVALID_ARGUMENT,
                "the 4 pairs vary in 2 directions only; use output_dim <= 2 or more pairs");
    CHECK(out == nullptr);
}

// BLAS and LAPACK of the host, which no backend calls: the library tells how many threads it last
// used, a number that no other test asks for.
TEST(Whitening_DeviceOfSomeThreads_UsesAsManyOnTheHost) {
    require_lapack();
    test::Rng rng;
    const int64_t count = 600;
    const int dim = 200, threads = default_threads() == 3 ? 5 : 3;
    const auto rows = rng.floats(count * dim), others = rng.floats(count * dim);
    mirror_device* device = nullptr;
    CHECK_OK(mirror_device_create(&device, "cpu", threads));
    auto options = options_of(20);
    Owned exact, randomized, learned;
    CHECK_OK(mirror_whitening_fit(&exact.handle, device, rows.data(), count, dim, &options));
    CHECK_EQ(threads_of_blas(), threads);
    options.solver = MIRROR_SOLVER_RANDOMIZED;
    CHECK_OK(mirror_whitening_fit(&randomized.handle, device, rows.data(), count, dim, &options));
    CHECK_EQ(threads_of_blas(), threads);
    CHECK_OK(mirror_whitening_learn(
        &learned.handle, device, rows.data(), others.data(), count, dim, 20));
    CHECK_EQ(threads_of_blas(), threads);
    mirror_device_destroy(device);
}

TEST(RandomizedPca_MoreRowsThanLapackCounts_IsRefusedBeforeAnyIsRead) {
    require_lapack();
    const float row = 0;
    try {
        mirror::randomized_pca(&row, int64_t{1} << 31, 1, 1, {});
        CHECK(!"2^31 rows were taken");
    } catch (const mirror::Error& error) {
        CHECK_EQ(error.status(), MIRROR_E_INVALID_ARGUMENT);
        CHECK_EQ(std::string(error.what()), "count is 2147483648, but LAPACK counts to 2147483647");
    }
}

TEST(WhiteningFit_ByVariance_KeepsTheFewestThatExceedIt) {
    require_lapack();
    const test::TestDevice device;
    // Axis-aligned rows +-a, +-b, +-c: variances in the ratio 16 : 4 : 1, so ratios 0.762,
    // 0.952, 1.
    const float rows[] = {4, 0, 0, -4, 0, 0, 0, 2, 0, 0, -2, 0, 0, 0, 1, 0, 0, -1};
    const struct {
        double variance;
        int kept;
    } cases[] = {{0.5, 1}, {0.76, 1}, {0.77, 2}, {0.95, 2}, {0.96, 3}, {0.999999, 3}};
    for (const auto& [variance, kept] : cases) {
        const auto options = options_of(0, variance);
        Owned fitted;
        CHECK_OK(mirror_whitening_fit(&fitted.handle, device, rows, 6, 3, &options));
        CHECK_EQ(info_of(fitted.handle).output_dim, kept);
        double v[3];
        CHECK_OK(mirror_whitening_get(fitted.handle, nullptr, nullptr, v));
        CHECK_NEAR(v[0], 32.0 / 5, 1e-12);
    }
}

TEST(WhiteningFit_ManyRows_CrossesTilesExactly) {
    require_lapack();
    const test::TestDevice device;
    test::Rng rng;
    const int dim = 3;
    const int64_t count = 9001;  // several tiles, the last one ragged
    auto rows = rng.floats(static_cast<size_t>(count) * dim, 0, 1);
    for (int64_t i = 0; i < count; ++i) rows[i * dim] *= 4, rows[i * dim + 1] *= 2;
    std::vector<double> mean(dim);
    double square = 0;
    for (int64_t i = 0; i < count; ++i)
        for (int k = 0; k < dim; ++k) mean[k] += rows[i * dim + k] / static_cast<double>(count);
    for (int64_t i = 0; i < count; ++i) square += std::pow(rows[i * dim] - mean[0], 2);
    const auto options = options_of(3);
    Owned fitted;
    CHECK_OK(mirror_whitening_fit(&fitted.handle, device, rows.data(), count, dim, &options));
    double m[3], v[3];
    CHECK_OK(mirror_whitening_get(fitted.handle, m, nullptr, v));
    for (int k = 0; k < dim; ++k) CHECK_NEAR(m[k], mean[k], 1e-12);
    CHECK_NEAR(v[0], square / static_cast<double>(count - 1), 0.01);
    CHECK_NEAR(info_of(fitted.handle).explained, 1.0, 1e-12);
}

TEST(WhiteningApply_RowEqualToTheMean_GivesZeros) {
    const test::TestDevice device;
    const double mean[] = {0.1f, -0.7f, 1e3f}, components[] = {0.6, 0.8, 0, -0.8, 0.6, 0},
                 variances[] = {0.5, 1e-6};
    Owned made;
    CHECK_OK(mirror_whitening_create(&made.handle, mean, components, variances, 2, 3));
    CHECK(std::isnan(info_of(made.handle).explained));
    const float rows[] = {0.1f, -0.7f, 1e3f, 1, 2, 3};
    float out[4] = {9, 9, 9, 9};
    CHECK_OK(mirror_whitening_apply(made.handle, device, rows, 2, out));
    CHECK_EQ(out[0], 0.0f);
    CHECK_EQ(out[1], 0.0f);
    CHECK_NEAR(out[2] * out[2] + out[3] * out[3], 1.0, 1e-6);
}

TEST(Whitening_SavedAndLoaded_IsTheSame) {
    require_lapack();
    const test::TestDevice device;
    test::Rng rng;
    const auto rows = rng.floats(50 * 9);
    const auto options = options_of(4);
    Owned fitted, loaded;
    CHECK_OK(mirror_whitening_fit(&fitted.handle, device, rows.data(), 50, 9, &options));
    const std::string path = (test::scratch_folder() / "white.safetensors").string();
    CHECK_OK(mirror_whitening_save(fitted.handle, path.c_str()));
    CHECK_OK(mirror_whitening_load(&loaded.handle, path.c_str()));
    double a[9 + 36 + 4], b[9 + 36 + 4];
    CHECK_OK(mirror_whitening_get(fitted.handle, a, a + 9, a + 45));
    CHECK_OK(mirror_whitening_get(loaded.handle, b, b + 9, b + 45));
    CHECK(std::equal(a, a + 49, b));
    CHECK_EQ(info_of(loaded.handle).explained, info_of(fitted.handle).explained);
}

TEST(WhiteningLoad_BadFiles_AreNamed) {
    const auto folder = test::scratch_folder();
    mirror_whitening* out = nullptr;
    CHECK_FAILS(mirror_whitening_load(&out, (folder / "none").string().c_str()),
                MIRROR_E_NOT_FOUND,
                "none");
    const auto path = (folder / "w.safetensors").string();
    const double values[] = {1, 2, 3, 4, 5, 6};
    const auto bytes = [&](size_t count) { return std::as_bytes(std::span(values, count)); };
    const auto load = [&](std::vector<mirror::Tensor> tensors,
                          std::map<std::string, std::string> metadata = {}) {
        mirror::write_safetensors(path, tensors, metadata);
        return mirror_whitening_load(&out, path.c_str());
    };
    const mirror::Tensor mean{"mean", "F64", {3}, bytes(3)},
        variances{"variances", "F64", {2}, bytes(2)};
    const mirror::Tensor components{"components", "F64", {2, 3}, bytes(6)};
    CHECK_FAILS(load({components, mean}), MIRROR_E_NOT_FOUND, "variances");
    CHECK_FAILS(load({{"components", "F64", {3, 2}, bytes(6)}, mean, variances}),
                MIRROR_E_FORMAT,
                "[3, 2]");
    CHECK_FAILS(load({components, {"mean", "F64", {1, 3}, bytes(3)}, variances}),
                MIRROR_E_FORMAT,
                "[1, 3]");
    CHECK_FAILS(
        load({components, mean, {"variances", "F64", {4}, bytes(4)}}), MIRROR_E_FORMAT, "[4]");
    CHECK_FAILS(
        load({components, mean, variances}, {{"explained", "many"}}), MIRROR_E_FORMAT, "many");
    const double negative[] = {1, -2};
    CHECK_FAILS(
        load({components, mean, {"variances", "F64", {2}, std::as_bytes(std::span(negative))}}),
        MIRROR_E_FORMAT,
        "variances[1] is -2");
    CHECK(out == nullptr);
    CHECK_OK(load({components, mean, variances}));
    mirror_whitening_destroy(out);
    std::ofstream(path, std::ios::binary) << "not a safetensors file";
    CHECK_FAILS(mirror_whitening_load(&out, path.c_str()), MIRROR_E_FORMAT, "w.safetensors");
}

TEST(WhiteningFit_BadInput_IsRefusedWithValues) {
    require_lapack();
    const test::TestDevice device;
    test::Rng rng;
    auto rows = rng.floats(4 * 6);
    mirror_whitening* out = nullptr;
    const auto fit = [&](int32_t dim, double variance = 0, int64_t count = 4) {
        const auto options = options_of(dim, variance);
        return mirror_whitening_fit(&out, device, rows.data(), count, 6, &options);
    };
    // Four rows vary in three directions at most.
    CHECK_FAILS(fit(4), MIRROR_E_INVALID_ARGUMENT, "3 directions only; use dim <= 3 or more rows");
    CHECK_FAILS(fit(5), MIRROR_E_INVALID_ARGUMENT, "dim is 5, expected 1..4");
    CHECK_FAILS(fit(-1), MIRROR_E_INVALID_ARGUMENT, "dim is -1");
    CHECK_FAILS(fit(0), MIRROR_E_INVALID_ARGUMENT, "variance is 0");
    CHECK_FAILS(fit(0, 1.0), MIRROR_E_INVALID_ARGUMENT, "variance is 1");
    CHECK_FAILS(fit(1, 0, 1), MIRROR_E_INVALID_ARGUMENT, "count is 1");
    auto unknown = options_of(2);
    unknown.solver = 3;
    CHECK_FAILS(mirror_whitening_fit(&out, device, rows.data(), 4, 6, &unknown),
                MIRROR_E_INVALID_ARGUMENT,
                "solver is 3");
    rows[2 * 6 + 5] = NAN;
    CHECK_FAILS(fit(2), MIRROR_E_INVALID_ARGUMENT, "row 2 holds nan at 5");
    std::fill(rows.begin(), rows.end(), 0.5f);
    CHECK_FAILS(fit(1), MIRROR_E_INVALID_ARGUMENT, "rows are equal");
    CHECK(out == nullptr);
}

}  // namespace
