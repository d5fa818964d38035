// Kernels of kernels/norm against double-precision references.
#include "harness.h"
#include "kernel_fixture.h"
#include "norm/lrn.cu"
#include "norm/rows.cu"

namespace {

template <class T>
void check_lrn(void (*kernel)(const LrnParams), int64_t rows, int c, int pitch, int radius, float beta,
               float magnitude) {
    test::Rng rng(static_cast<uint64_t>(c + radius));
    test::DeviceMemory<T> x(static_cast<size_t>(rows) * pitch), y(static_cast<size_t>(rows) * (pitch + 8));
    for (size_t i = 0; i < x.size(); ++i)
        if (static_cast<int>(i % pitch) < c)
            x[i] = test::narrow<T>(static_cast<float>(rng.uniform(-magnitude, magnitude)));
    const LrnParams p{x.data(), y.data(), rows, c, pitch, pitch + 8, radius, 2e-5f, beta, 1.f};
    const auto after = [&] {
        y.check();
        for (int64_t row = 0; row < rows; ++row) {
            const size_t first = static_cast<size_t>(row) * (pitch + 8);
            CHECK(y.untouched(first + c, first + pitch + 8));
            for (int i = 0; i < c; ++i) {
                double squares = 0;
                for (int d = std::max(0, i - radius); d <= std::min(c - 1, i + radius); ++d)
                    squares += std::pow(test::widen(x[static_cast<size_t>(row * pitch + d)]), 2.0);
                const double v = test::widen(x[static_cast<size_t>(row * pitch + i)]);
                const double want = v * std::pow(1.0 + double(2e-5f) * squares, -double(beta));
                // A few float roundings; 3e-7 more from exp2 and log2 of the special function unit.
                CHECK_NEAR(test::widen(y[first + i]), want,
                           std::abs(want) * (1e-6 + test::unit_roundoff<T>)+1e-7 * (sizeof(T) == 2));
            }
        }
    };
    test::run_schedules(
        kernel, lrn_launch(p, Vec<T>::N), p, [&] { y.reset(); }, after);
}

template <class T>
void check_lrns(void (*kernel)(const LrnParams)) {
    check_lrn<T>(kernel, 37, 64, 64, 2, 0.75f, 100);
    check_lrn<T>(kernel, 5, 8, 24, 2, 0.75f, 1);
    check_lrn<T>(kernel, 1, 24, 32, 2, 0.5f, 30);
    check_lrn<T>(kernel, 3, 16, 16, 5, 0.75f, 300);  // the plain loop
    check_lrn<T>(kernel, 3, 16, 16, 0, 1.f, 300);
    check_lrn<T>(kernel, 2, 8, 8, 20, 0.75f, 50);  // wider than the row
}
TEST(Lrn_F32_MatchesReference) {
    check_lrns<float>(lrn_f32);
}
TEST(Lrn_F16_MatchesReference) {
    check_lrns<f16>(lrn_f16);
}
TEST(Lrn_Bf16_MatchesReference) {
    check_lrns<bf16>(lrn_bf16);
}

void check_l2(int64_t rows, int dim, float scale, bool in_place) {
    test::Rng rng(static_cast<uint64_t>(dim));
    auto values = rng.floats(static_cast<size_t>(rows) * dim, -scale, scale);
    std::fill_n(values.begin() + (rows - 1) * dim, dim, 0.f);
    test::DeviceMemory<float> x(values), y(values.size());
    const L2Params p{x.data(), in_place ? x.data() : y.data(), rows, dim};
    test::DeviceMemory<float>& out = in_place ? x : y;
    const auto before = [&] { y.reset(), std::copy(values.begin(), values.end(), x.data()); };
    const auto after = [&] {
        out.check();
        for (int64_t row = 0; row < rows; ++row) {
            double squares = 0;
            for (int i = 0; i < dim; ++i) squares += std::pow(double(values[row * dim + i]), 2);
            for (int i = 0; i < dim; ++i) {  // one rounding
                const double want = squares > 0 ? values[row * dim + i] / std::sqrt(squares) : 0;
                CHECK_NEAR(out[static_cast<size_t>(row * dim + i)], want, std::abs(want) * 6.1e-8 + 1e-44);
            }
        }
    };
    test::run_schedules(l2_normalize_f32, l2_normalize_launch(p), p, before, after);
}
TEST(L2Normalize_RaggedRows_MatchReference) {
    check_l2(9, 67, 1, false);
    check_l2(1, 1, 1, false);
    check_l2(17, 33, 3e38f, true);  // squares beyond float
    check_l2(8, 256, 1e-30f, true);
}
TEST(L2Normalize_NaN_GivesZerosAsOnTheCpu) {
    test::DeviceMemory<float> x(std::vector<float>{1, NAN, 3, 4}), y(4);
    const L2Params p{x.data(), y.data(), 2, 2};
    test::run(l2_normalize_f32, l2_normalize_launch(p), p, {});
    CHECK(y[0] == 0 && y[1] == 0 && y[2] == 0.6f && y[3] == 0.8f);
}

TEST(FindNonFinite_PlantedValues_FindsTheFirst) {
    test::Rng rng;
    for (const int64_t count : {1, 31, 1024, 1025, 5000})
        for (const int planted : {0, 1, 3}) {
            auto values = rng.floats(static_cast<size_t>(count), -100, 100);
            uint64_t want = ~uint64_t{0};
            for (int i = 0; i < planted; ++i) {
                const int64_t at = rng.index(count);
                values[at] = i == 0 ? NAN : i == 1 ? -INFINITY : 100.001f;
                want = std::min(want, static_cast<uint64_t>(at));
            }
            const test::DeviceMemory<float> x(values);
            unsigned long long first = 0;
            const FindNonFiniteParams p{x.data(), count, 100, &first};
            for (LaunchShape shape : {find_non_finite_launch(p), LaunchShape{1, 1, 1, kRowThreads, 0}})  // strides
                test::run_schedules(
                    find_non_finite_f32, shape, p, [&] { first = ~0ull; }, [&] { CHECK_EQ(first, want); });
        }
}

template <class T>
void check_cast(void (*kernel)(const CastParams), int64_t rows, int c, int pitch, bool aligned) {
    test::Rng rng(static_cast<uint64_t>(c));
    const size_t offset = aligned ? 0 : 1;
    test::DeviceMemory<float> x(rng.floats(static_cast<size_t>(rows) * c + offset, -70000, 70000));
    test::DeviceMemory<T> y(static_cast<size_t>(rows) * pitch);
    const CastParams p{x.data() + offset, y.data(), rows, c, pitch};
    const auto after = [&] {
        y.check();
        for (int64_t i = 0; i < rows * pitch; ++i) {
            const int64_t column = i % pitch;
            const float v = column < c ? p.x[i / pitch * c + column] : 0;
            CHECK_EQ(y[static_cast<size_t>(i)].bits, test::narrow<T>(v).bits);
        }
    };
    test::run_schedules(
        kernel, cast_launch(p), p, [&] { y.reset(); }, after);
}
TEST(Cast_RaggedRows_RoundAndPad) {
    for (const bool aligned : {true, false}) {
        check_cast<f16>(cast_f16, 7, 36, 40, aligned);
        check_cast<bf16>(cast_bf16, 130, 13, 24, aligned);
        check_cast<f16>(cast_f16, 1, 1, 8, aligned);
        check_cast<bf16>(cast_bf16, 3, 256, 256, aligned);
    }
}

}  // namespace
