// Whitening: the exact PCA of the golden set, saving and loading, ranks, refusals.
#include <fstream>

#include "harness.h"
#include "model/safetensors.h"

namespace {

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
    CHECK_FAILS(fit(4), MIRROR_E_INVALID_ARGUMENT, "3 directions only; use dim <= 3");
    CHECK_FAILS(fit(5), MIRROR_E_INVALID_ARGUMENT, "dim is 5, expected 1..4");
    CHECK_FAILS(fit(-1), MIRROR_E_INVALID_ARGUMENT, "dim is -1");
    CHECK_FAILS(fit(0), MIRROR_E_INVALID_ARGUMENT, "variance is 0");
    CHECK_FAILS(fit(0, 1.0), MIRROR_E_INVALID_ARGUMENT, "variance is 1");
    CHECK_FAILS(fit(1, 0, 1), MIRROR_E_INVALID_ARGUMENT, "count is 1");
    rows[2 * 6 + 5] = NAN;
    CHECK_FAILS(fit(2), MIRROR_E_INVALID_ARGUMENT, "row 2 holds nan at 5");
    std::fill(rows.begin(), rows.end(), 0.5f);
    CHECK_FAILS(fit(1), MIRROR_E_INVALID_ARGUMENT, "rows are equal");
    CHECK(out == nullptr);
}

}  // namespace
