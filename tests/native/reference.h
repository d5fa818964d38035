// Double-precision references of the retrieval operations, written for clarity: what the backends
// are held to.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "mirror/mirror.h"

namespace test {

// Scores [nq, nd] of queries [nq, R, D] against rows [nd, R, D], not divided by R.
inline std::vector<double> similarity_ref(const std::vector<float>& queries,
                                          const std::vector<float>& rows,
                                          int regions,
                                          int dim,
                                          int32_t similarity,
                                          int32_t metric) {
    const size_t image = static_cast<size_t>(regions) * dim;
    const size_t nq = queries.size() / image, nd = rows.size() / image;
    const bool euclidean = metric == MIRROR_METRIC_EUCLIDEAN;
    std::vector<double> scores;
    for (size_t q = 0; q < nq; ++q)
        for (size_t d = 0; d < nd; ++d) {
            double sum = 0, largest = -INFINITY;
            for (int r = 0; r < regions; ++r) {
                double best = euclidean ? INFINITY : -INFINITY;
                for (int t = 0; t < regions; ++t) {
                    double value = 0;
                    for (int i = 0; i < dim; ++i) {
                        const double a = queries[q * image + r * dim + i],
                                     b = rows[d * image + t * dim + i];
                        value += euclidean ? (a - b) * (a - b) : a * b;
                    }
                    best = euclidean ? std::min(best, value) : std::max(best, value);
                }
                sum += best;
                largest = std::max(largest, best);
            }
            scores.push_back(similarity == MIRROR_SIMILARITY_AML ? largest : sum);
        }
    return scores;
}

// The order of one row of scores by a full sort: better first, ties by lower index.
inline std::vector<int32_t> order_ref(const float* scores, int64_t n, bool smallest) {
    std::vector<int32_t> ids(static_cast<size_t>(n));
    std::iota(ids.begin(), ids.end(), 0);
    std::stable_sort(ids.begin(), ids.end(), [&](int32_t a, int32_t b) {
        return smallest ? scores[a] < scores[b] : scores[a] > scores[b];
    });
    return ids;
}

// (mean of max(x, 1e-6)^p)^(1/p) through logarithms, which no power overflows.
inline double gem_ref(const std::vector<double>& values, double p) {
    std::vector<double> logs;
    for (const double value : values) logs.push_back(p * std::log(std::max(value, 1e-6)));
    const double top = *std::max_element(logs.begin(), logs.end());
    double sum = 0;
    for (const double log : logs) sum += std::exp(log - top);
    return std::exp((top + std::log(sum / static_cast<double>(values.size()))) / p);
}

// One region of one channel of a map [h, w, c].
inline double region_ref(const float* map,
                         int w,
                         int c,
                         int channel,
                         const mirror_region& region,
                         int32_t pool,
                         double gem_p) {
    std::vector<double> values;
    for (int y = region.y; y < region.y + region.height; ++y)
        for (int x = region.x; x < region.x + region.width; ++x)
            values.push_back(map[(static_cast<int64_t>(y) * w + x) * c + channel]);
    if (pool == MIRROR_POOL_MAX) return *std::max_element(values.begin(), values.end());
    if (pool == MIRROR_POOL_GEM) return gem_ref(values, gem_p);
    double sum = 0;
    for (const double value : values) sum += pool == MIRROR_POOL_AVG ? value : value * value;
    const double mean = sum / static_cast<double>(values.size());
    return pool == MIRROR_POOL_AVG ? mean : std::sqrt(mean);
}

}  // namespace test
