// Single operations around the network: preprocessing, regions, rows, scores. Arguments are checked
// here; the backend computes. (Convolution, pooling and LRN: operations_network.cpp.)
#include <cmath>
#include <limits>

#include "api/handles.h"
#include "backend/backend.h"
#include "base/checked.h"
#include "extract/image_check.h"
#include "retrieval/finite.h"
#include "retrieval/index.h"
#include "retrieval/regions.h"

using namespace mirror;

namespace {

std::vector<mirror_region> checked_layout(
    int32_t h, int32_t w, int32_t fit, const int32_t* steps, int32_t step_count) {
    require(step_count >= 1 && step_count <= MIRROR_MAX_STEPS,
            "step_count is ",
            step_count,
            ", expected 1..",
            MIRROR_MAX_STEPS);
    return region_layout(h, w, fit, {&checked(steps, "steps"), static_cast<size_t>(step_count)});
}

}  // namespace

extern "C" {

mirror_status mirror_preprocess(mirror_device* device,
                                const mirror_image* image,
                                int32_t height,
                                int32_t width,
                                int32_t fit,
                                const float* mean,
                                float* out) {
    return guard([&] {
        Backend& backend = *checked(device, "device").object;
        check_image(checked(image, "image"), "image");
        require(height >= 1 && height <= 65535 && width >= 1 && width <= 65535,
                "target is ",
                width,
                " x ",
                height,
                " pixels, expected 1..65535");
        require_fit(fit);
        checked(mean, "mean");
        for (int i = 0; i < 3; ++i)
            require(
                std::isfinite(mean[i]), "mean[", i, "] is ", mean[i], ", expected a finite value");
        backend.preprocess(*image, height, width, fit, mean, &checked(out, "out"));
    });
}

mirror_status mirror_region_layout(int32_t map_height,
                                   int32_t map_width,
                                   int32_t fit,
                                   const int32_t* steps,
                                   int32_t step_count,
                                   mirror_region* out,
                                   int64_t capacity,
                                   int64_t* out_count) {
    return guard([&] {
        int64_t& count = checked(out_count, "out_count");
        const auto regions = checked_layout(map_height, map_width, fit, steps, step_count);
        count = static_cast<int64_t>(regions.size());
        if (!out) return;
        require(capacity >= count, "capacity is ", capacity, ", expected >= ", count, " regions");
        std::copy(regions.begin(), regions.end(), out);
    });
}

mirror_status mirror_region_pool(mirror_device* device,
                                 const float* maps,
                                 int32_t n,
                                 int32_t h,
                                 int32_t w,
                                 int32_t c,
                                 int32_t fit,
                                 const int32_t* steps,
                                 int32_t step_count,
                                 int32_t pool,
                                 float gem_p,
                                 float* out) {
    return guard([&] {
        Backend& backend = *checked(device, "device").object;
        require_pooling(pool, gem_p);
        require(n >= 0, "n is ", n, ", expected >= 0");
        require(c >= 1, "c is ", c, ", expected >= 1");
        const auto regions = checked_layout(h, w, fit, steps, step_count);
        checked_size("maps", n, h, w, c);
        const size_t stride = checked_size("out", regions.size(), c);
        checked_size("out", n, stride);
        if (n == 0) return;
        backend.region_pool(&checked(maps, "maps"),
                            n,
                            h,
                            w,
                            c,
                            regions,
                            pool,
                            gem_p,
                            &checked(out, "out"),
                            static_cast<int64_t>(stride));
    });
}

mirror_status mirror_l2_normalize(
    mirror_device* device, const float* x, int64_t count, int32_t dim, float* y) {
    return guard([&] {
        Backend& backend = *checked(device, "device").object;
        require(dim >= 1, "dim is ", dim, ", expected >= 1");
        checked_size("x", count, dim);
        if (count == 0) return;
        require_finite(backend, &checked(x, "x"), count, 0, dim, "x:");
        backend.check_pointers(&checked(y, "y"));
        backend.l2_normalize(x, count, dim, y);
    });
}

mirror_status mirror_similarity(mirror_device* device,
                                const float* queries,
                                int64_t nq,
                                const float* rows,
                                int64_t nd,
                                int32_t regions,
                                int32_t dim,
                                int32_t similarity,
                                int32_t metric,
                                float* scores) {
    return guard([&] {
        Backend& backend = *checked(device, "device").object;
        require_descriptor(regions, dim);
        require_similarity(similarity, metric);
        checked_size("queries", nq, regions, dim);
        checked_size("rows", nd, regions, dim);
        checked_size("scores", nq, nd);
        if (nq == 0 || nd == 0) return;
        require_finite(backend, &checked(queries, "queries"), nq, regions, dim, "queries:");
        require_finite(backend, &checked(rows, "rows"), nd, regions, dim, "rows:");
        backend.check_pointers(&checked(scores, "scores"));
        backend.similarity(queries, nq, rows, nd, regions, dim, similarity, metric, scores);
    });
}

mirror_status mirror_topk(mirror_device* device,
                          const float* scores,
                          int64_t rows,
                          int64_t n,
                          int32_t k,
                          int32_t smallest,
                          int32_t* ids,
                          float* values) {
    return guard([&] {
        Backend& backend = *checked(device, "device").object;
        require(n >= 1 && n <= INT32_MAX, "n is ", n, ", expected 1..", INT32_MAX);
        require(k >= 1 && k <= n, "k is ", k, ", expected 1..", n, " (n)");
        require(smallest == 0 || smallest == 1, "smallest is ", smallest, ", expected 0 or 1");
        const auto total = static_cast<int64_t>(checked_size("scores", rows, n));
        if (rows == 0) return;
        constexpr float infinity = std::numeric_limits<float>::infinity();
        const int64_t nan = find_beyond(backend, &checked(scores, "scores"), total, infinity);
        require(nan < 0, "scores row ", nan / n, " holds NaN at ", nan % n, ", which has no rank");
        backend.check_pointers(&checked(ids, "ids"), &checked(values, "values"));
        backend.topk(scores, rows, n, k, smallest != 0, ids, values);
    });
}

mirror_status mirror_gemm(mirror_device* device,
                          const float* a,
                          const float* b,
                          int64_t m,
                          int64_t n,
                          int64_t k,
                          int32_t precision,
                          float* c) {
    return guard([&] {
        Backend& backend = *checked(device, "device").object;
        require(k >= 1, "k is ", k, ", expected >= 1");
        checked_size("a", m, k);
        checked_size("b", n, k);
        checked_size("c", m, n);
        const mirror_device_info info = backend.info();
        require(precision >= MIRROR_PRECISION_FP32 && precision <= MIRROR_PRECISION_FP16,
                "precision is ",
                precision,
                ", expected 0 (fp32), 1 (bf16) or 2 (fp16)");
        constexpr const char* names[] = {"fp32", "bf16", "fp16"};
        require(info.precisions >> precision & 1,
                "precision ",
                names[precision],
                " is not supported by device ",
                info.name,
                "; use fp32");
        if (m == 0 || n == 0) return;
        backend.gemm(&checked(a, "a"), &checked(b, "b"), m, n, k, precision, &checked(c, "c"));
    });
}

}  // extern "C"
