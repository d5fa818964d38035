// L2 normalisation, the plain GEMM, top-k: against double-precision references, on ragged shapes.
#include <limits>

#include "harness.h"
#include "reference.h"

namespace {

TEST(L2Normalize_RaggedShapes_MatchReference) {
    const test::TestDevice device;
    test::Rng rng;
    for (const int dim : {1, 7, 8, 31, 33, 256, 1024}) {
        const int count = 13;
        auto x = rng.floats(static_cast<size_t>(count) * dim, -5, 5);
        std::fill_n(x.begin() + 2 * dim, dim, 0.0f);  // a zero row stays zero
        test::Guarded<float> y(x.size());
        CHECK_OK(mirror_l2_normalize(device, x.data(), count, dim, y.data()));
        y.check();
        for (int row = 0; row < count; ++row) {
            double square = 0;
            for (int i = 0; i < dim; ++i)
                square += static_cast<double>(x[row * dim + i]) * x[row * dim + i];
            for (int i = 0; i < dim; ++i) {
                const double want = square > 0 ? x[row * dim + i] / std::sqrt(square) : 0;
                CHECK_NEAR(y[row * dim + i], want, 6e-8);
            }
        }
        CHECK_OK(mirror_l2_normalize(device, x.data(), count, dim, x.data()));  // in place
        CHECK(x == y.values());
    }
}

TEST(L2Normalize_HugeAndTinyRows_KeepTheirDirection) {
    const test::TestDevice device;
    // Squares would overflow or vanish in float32.
    const float x[] = {3e13f, 4e13f, 3e-30f, 4e-30f};
    float y[4];
    CHECK_OK(mirror_l2_normalize(device, x, 2, 2, y));
    for (int i = 0; i < 4; ++i) CHECK_NEAR(y[i], i % 2 ? 0.8 : 0.6, 1e-6);
}

TEST(Gemm_RaggedShapes_MatchReference) {
    const test::TestDevice device;
    test::Rng rng;
    mirror_device_info info{};
    info.struct_size = sizeof info;
    CHECK_OK(mirror_device_get_info(device, &info));
    for (const int m : {1, 17, 33})
        for (const int n : {1, 5, 64})
            for (const int k : {1, 31, 256})
                for (const int32_t precision : {MIRROR_PRECISION_FP32, MIRROR_PRECISION_BF16}) {
                    if (!(info.precisions >> precision & 1)) continue;
                    const auto a = rng.floats(static_cast<size_t>(m) * k),
                               b = rng.floats(static_cast<size_t>(n) * k);
                    test::Guarded<float> c(static_cast<size_t>(m) * n);
                    CHECK_OK(mirror_gemm(device, a.data(), b.data(), m, n, k, precision, c.data()));
                    c.check();
                    for (int i = 0; i < m; ++i)
                        for (int j = 0; j < n; ++j) {
                            double want = 0;
                            for (int l = 0; l < k; ++l)
                                want += static_cast<double>(a[i * k + l]) * b[j * k + l];
                            CHECK_NEAR(c[i * n + j],
                                       want,
                                       (precision == MIRROR_PRECISION_FP32 ? 2e-7 : 8e-3) * k);
                        }
                }
}

TEST(TopK_ManyTies_EqualsFullSort) {
    const test::TestDevice device;
    test::Rng rng;
    for (const int64_t n : {1, 2, 31, 500, 3000})
        for (const int64_t k : {int64_t{1}, (n + 1) / 2, n})
            for (const int smallest : {0, 1}) {
                const int64_t rows = 3;
                std::vector<float> scores(static_cast<size_t>(rows * n));
                // Few distinct values, both zeros and infinities among them.
                for (float& score : scores) score = static_cast<float>(rng.index(7)) - 3.0f;
                scores[0] = -0.0f;
                scores[scores.size() - 1] = std::numeric_limits<float>::infinity();
                test::Guarded<int32_t> ids(static_cast<size_t>(rows * k));
                test::Guarded<float> values(ids.size());
                CHECK_OK(mirror_topk(device,
                                     scores.data(),
                                     rows,
                                     n,
                                     static_cast<int32_t>(k),
                                     smallest,
                                     ids.data(),
                                     values.data()));
                ids.check();
                values.check();
                for (int64_t row = 0; row < rows; ++row) {
                    const auto order = test::order_ref(scores.data() + row * n, n, smallest != 0);
                    for (int64_t i = 0; i < k; ++i) {
                        CHECK_EQ(ids[row * k + i], order[i]);
                        CHECK_EQ(values[row * k + i], scores[row * n + order[i]]);
                    }
                }
            }
}

}  // namespace
