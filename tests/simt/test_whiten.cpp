// whiten_f64 and the sums of the PCA fit against references in long double.
#include "harness.h"
#include "kernel_fixture.h"
#include "whiten/whiten.cu"

namespace {

std::vector<double> doubles(test::Rng& rng, size_t count, double scale) {
    std::vector<double> out(count);
    for (double& v : out) v = rng.uniform(-scale, scale);
    return out;
}

// `scale` of the projection: results must not depend on it, even where products leave the range of a float.
void check_whiten(int64_t rows, int dim, int out_dim, double scale) {
    test::Rng rng(static_cast<uint64_t>(dim * 1000 + out_dim));
    const auto x = rng.floats(static_cast<size_t>(rows) * dim);
    auto projection = doubles(rng, static_cast<size_t>(out_dim) * dim, scale);
    auto offset = doubles(rng, static_cast<size_t>(out_dim), scale);
    if (out_dim > 64) {  // the first tile says nothing about the norm
        std::fill_n(projection.begin(), static_cast<size_t>(64) * dim, 0.0);
        std::fill_n(offset.begin(), 64, 0.0);
    }
    if (out_dim > 128)
        for (size_t i = 64; i < 128; ++i) {
            offset[i] *= 1e-25;
            for (int k = 0; k < dim; ++k) projection[i * dim + k] *= 1e-25;
        }
    test::DeviceMemory<float> out(static_cast<size_t>(rows) * out_dim);
    const WhitenParams p{x.data(), projection.data(), offset.data(), out.data(), rows, dim, out_dim, 0};
    std::vector<long double> want(out.size());
    for (int64_t row = 0; row < rows; ++row) {
        long double squares = 0;
        for (int i = 0; i < out_dim; ++i) {
            long double v = -static_cast<long double>(offset[i]);
            for (int k = 0; k < dim; ++k)
                v += static_cast<long double>(x[row * dim + k]) * projection[static_cast<size_t>(i) * dim + k];
            want[row * out_dim + i] = v, squares += v * v;
        }
        for (int i = 0; i < out_dim; ++i) want[row * out_dim + i] /= std::sqrt(squares);
    }
    const auto after = [&] {
        out.check();
        for (size_t i = 0; i < want.size(); ++i) {  // two roundings to float
            const double expected = static_cast<double>(want[i]);
            CHECK_NEAR(out[i], expected, std::abs(expected) * 1.3e-7 + 1e-15);
        }
    };
    test::run_schedules(
        whiten_f64, whiten_launch(p), p, [&] { out.reset(); }, after);
}
TEST(Whiten_RaggedShapes_MatchReference) {
    check_whiten(1, 1, 1, 1);
    check_whiten(35, 40, 24, 1);
    check_whiten(33, 17, 65, 1);
    check_whiten(5, 129, 200, 1);
    check_whiten(64, 32, 64, 1);
}
TEST(Whiten_ProjectionsBeyondFloats_MatchReference) {
    check_whiten(3, 20, 10, 1e60);
    check_whiten(3, 20, 140, 1e-60);
}

TEST(Whiten_RowsAtTheMeanOrNaN_GiveZeros) {
    const float x[] = {1, 2, 1, 2.5f, NAN, 0};
    const double projection[] = {1, 0, 0, 1, 1, 1}, offset[] = {1, 2, 3};
    test::DeviceMemory<float> out(9);
    WhitenParams p{x, projection, offset, out.data(), 3, 2, 3, 1e-13};
    test::run(whiten_f64, whiten_launch(p), p, {});
    const float half = static_cast<float>(std::sqrt(0.5));
    const float want[] = {0, 0, 0, 0, half, half, 0, 0, 0};  // the first row equals the mean
    for (int i = 0; i < 9; ++i) CHECK_NEAR(out[i], want[i], 1e-7);
    p.residue = 0.8;  // |(0, 0.5, 0.5)| is not above
    test::run(whiten_f64, whiten_launch(p), p, {});
    for (int i = 0; i < 9; ++i) CHECK_EQ(out[i], 0.f);
}

TEST(ColumnSums_RaggedShapes_AddToWhatIsThere) {
    for (const auto& [rows, dim] : {std::pair{1, 1}, {33, 40}, {200, 32}, {75, 97}}) {
        test::Rng rng(static_cast<uint64_t>(dim));
        const auto x = rng.floats(static_cast<size_t>(rows) * dim);
        test::DeviceMemory<double> sums(std::vector<double>(static_cast<size_t>(dim), 0.0));
        const ColumnSumsParams p{x.data(), sums.data(), rows, dim};
        std::vector<double> first;
        for (const simt::Options& schedule : test::schedules()) {
            std::fill_n(sums.data(), dim, 2.5);
            test::run(column_sums_f64, column_sums_launch(p), p, schedule);
            sums.check();
            const std::vector<double> got(sums.data(), sums.data() + dim);
            if (first.empty()) first = got;
            CHECK(got == first);
        }
        for (int c = 0; c < dim; ++c) {
            long double want = 2.5;
            for (int r = 0; r < rows; ++r) want += x[static_cast<size_t>(r) * dim + c];
            CHECK_NEAR(sums[c], static_cast<double>(want), 1e-13);
        }
    }
}

TEST(Covariance_RaggedShapes_AddToWhatIsThereInBothTriangles) {
    for (const auto& [rows, dim] : {std::pair{1, 1}, {17, 40}, {50, 131}, {16, 64}, {35, 65}}) {
        test::Rng rng(static_cast<uint64_t>(dim));
        const auto x = rng.floats(static_cast<size_t>(rows) * dim);
        const auto mean = doubles(rng, static_cast<size_t>(dim), 0.2);
        const size_t size = static_cast<size_t>(dim);
        test::DeviceMemory<double> covariance(size * size);
        const CovarianceParams p{x.data(), mean.data(), covariance.data(), rows, dim, 0.25};
        const auto before = [&] { std::fill_n(covariance.data(), size * size, 3.0); };
        const auto after = [&] {
            covariance.check();
            for (size_t i = 0; i < size; ++i)
                for (size_t j = 0; j <= i; ++j) {
                    long double want = 0;
                    for (int r = 0; r < rows; ++r)
                        want += static_cast<long double>(x[r * size + i] - mean[i]) * (x[r * size + j] - mean[j]);
                    CHECK_NEAR(covariance[i * size + j], static_cast<double>(3 + want / 4), 1e-13);
                    CHECK_EQ(covariance[i * size + j], covariance[j * size + i]);
                }
        };
        test::run_schedules(covariance_f64, covariance_launch(p), p, before, after);
    }
}

TEST(Center_RaggedShapes_AreExact) {
    test::Rng rng;
    const auto x = rng.floats(37 * 21);
    const auto mean = doubles(rng, 21, 1);
    test::DeviceMemory<double> y(x.size());
    const CenterParams p{x.data(), mean.data(), y.data(), 37, 21};
    const auto after = [&] {
        y.check();
        for (size_t i = 0; i < x.size(); ++i) CHECK_EQ(y[i], x[i] - mean[i % 21]);
    };
    test::run_schedules(
        center_f64, center_launch(p), p, [&] { y.reset(); }, after);
}

}  // namespace
