#include "backend/cpu/score_tile.h"

#include <algorithm>
#include <oneapi/dnnl/dnnl.hpp>

#include "backend/cpu/simd.h"

namespace mirror {
namespace {

// Size of the product: 288 x 448 floats are 500 KB, which leaves half of a 1 MB second-level cache
// to the operands.
constexpr int kQueryRows = 288;
constexpr int kDatabaseRows = 448;
constexpr int kBlock = 64;  // columns reduced together: they stay in registers

float squared_norm(const float* x, int dim) {
    double sum = 0;
    for (int i = 0; i < dim; ++i) sum += static_cast<double>(x[i]) * x[i];
    return static_cast<float>(sum);
}

// best[c] = max over `rows` rows of s[row, c].
MIRROR_SIMD void column_max(const float* s, int64_t pitch, int rows, int columns, float* best) {
    for (int first = 0; first < columns; first += kBlock) {
        const int block = std::min(kBlock, columns - first);
        float top[kBlock];
        if (block == kBlock) {
            for (int c = 0; c < kBlock; ++c) top[c] = s[first + c];
            for (int row = 1; row < rows; ++row) {
                const float* values = s + row * pitch + first;
                for (int c = 0; c < kBlock; ++c) top[c] = values[c] > top[c] ? values[c] : top[c];
            }
        } else {
            for (int c = 0; c < block; ++c) top[c] = s[first + c];
            for (int row = 1; row < rows; ++row) {
                const float* values = s + row * pitch + first;
                for (int c = 0; c < block; ++c) top[c] = values[c] > top[c] ? values[c] : top[c];
            }
        }
        for (int c = 0; c < block; ++c) best[first + c] = top[c];
    }
}

// |q|^2 - 2 <q, d> + |d|^2, rounded in the original's order. Where q and d are close the terms
// cancel and float32 keeps few digits: then the distance is summed from the differences, in double.
float squared_distance(const float* q, const float* d, int dim, float nq, float dot, float nd) {
    const float distance = (nq - 2.0f * dot) + nd;
    if (distance > 0.25f * (nq + nd)) return distance;
    double sum = 0;
    for (int i = 0; i < dim; ++i) {
        const double difference = static_cast<double>(q[i]) - d[i];
        sum += difference * difference;
    }
    return static_cast<float>(sum);
}

// nearest[c] = the row with the least |row|^2 - 2 s[row, c], the part of the distance that
// depends on it.
MIRROR_SIMD void column_nearest(const float* s,
                                int64_t pitch,
                                int rows,
                                int columns,
                                const float* row_norms,
                                float* best,
                                int* nearest) {
    for (int row = 0; row < rows; ++row) {
        const float* values = s + row * pitch;
        const float norm = row_norms[row];
        for (int c = 0; c < columns; ++c) {
            const float part = norm - 2.0f * values[c];
            const bool closer = row == 0 || part < best[c];
            best[c] = closer ? part : best[c];
            nearest[c] = closer ? row : nearest[c];
        }
    }
}

// One score from the R best matches of an image's regions.
float combine(const float* best, int regions, int32_t similarity) {
    if (similarity == MIRROR_SIMILARITY_AML) return *std::max_element(best, best + regions);
    double sum = 0;
    for (int r = 0; r < regions; ++r) sum += best[r];
    return static_cast<float>(sum);
}

}  // namespace

int ScoreTile::query_images(int regions) {
    return std::max(1, kQueryRows / regions);
}
int ScoreTile::row_images(int regions) {
    return std::max(1, kDatabaseRows / regions);
}

ScoreTile::ScoreTile(const ScoreKind& kind) : kind_(kind) {
    const int64_t columns = static_cast<int64_t>(query_images(kind.regions)) * kind.regions;
    const int64_t rows = static_cast<int64_t>(row_images(kind.regions)) * kind.regions;
    pitch_ = (columns + 15) / 16 * 16;
    if (kind.regions > 1) {
        product_.resize(static_cast<size_t>(rows * pitch_));
        best_.resize(static_cast<size_t>(columns));
    }
    if (kind.metric == MIRROR_METRIC_EUCLIDEAN) {
        query_norms_.resize(static_cast<size_t>(columns));
        row_norms_.resize(static_cast<size_t>(rows));
        nearest_.resize(static_cast<size_t>(columns));
    }
}

bool ScoreTile::run(const float* queries,
                    int nq,
                    const float* rows,
                    int nd,
                    float* scores,
                    int64_t stride) noexcept {
    const int64_t columns = static_cast<int64_t>(nq) * kind_.regions;
    const int64_t height = static_cast<int64_t>(nd) * kind_.regions;
    const int64_t dim = kind_.dim;
    if (kind_.metric == MIRROR_METRIC_EUCLIDEAN) {
        for (int64_t i = 0; i < columns; ++i)
            query_norms_[i] = squared_norm(queries + i * dim, kind_.dim);
        for (int64_t i = 0; i < height; ++i)
            row_norms_[i] = squared_norm(rows + i * dim, kind_.dim);
    }
    if (kind_.regions == 1) {
        if (dnnl_sgemm(
                'N', 'T', nq, nd, dim, 1.0f, queries, dim, rows, dim, 0.0f, scores, stride) !=
            dnnl_success)
            return false;
        if (kind_.metric == MIRROR_METRIC_EUCLIDEAN)
            for (int q = 0; q < nq; ++q)
                for (int d = 0; d < nd; ++d) {
                    float& score = scores[q * stride + d];
                    score = squared_distance(queries + q * dim,
                                             rows + d * dim,
                                             kind_.dim,
                                             query_norms_[q],
                                             score,
                                             row_norms_[d]);
                }
        return true;
    }
    // Database regions down, query regions across: the maximum over database regions is then a
    // running maximum of rows, which vectorises for any number of regions.
    if (dnnl_sgemm('N',
                   'T',
                   height,
                   columns,
                   dim,
                   1.0f,
                   rows,
                   dim,
                   queries,
                   dim,
                   0.0f,
                   product_.data(),
                   pitch_) != dnnl_success)
        return false;
    for (int d = 0; d < nd; ++d) {
        const float* s = product_.data() + d * kind_.regions * pitch_;
        if (kind_.metric == MIRROR_METRIC_EUCLIDEAN)
            least_distances(queries, static_cast<int>(columns), rows, d);
        else
            column_max(s, pitch_, kind_.regions, static_cast<int>(columns), best_.data());
        for (int q = 0; q < nq; ++q)
            scores[q * stride + d] = combine(best_.data() + static_cast<int64_t>(q) * kind_.regions,
                                             kind_.regions,
                                             kind_.similarity);
    }
    return true;
}

// best_[c] = distance of query region c to the nearest region of database image d of the tile.
void ScoreTile::least_distances(const float* queries, int columns, const float* rows, int d) {
    const int64_t first = static_cast<int64_t>(d) * kind_.regions;
    const float* s = product_.data() + first * pitch_;
    column_nearest(s,
                   pitch_,
                   kind_.regions,
                   columns,
                   row_norms_.data() + first,
                   best_.data(),
                   nearest_.data());
    for (int c = 0; c < columns; ++c) {
        const int64_t row = nearest_[c];
        best_[c] = squared_distance(queries + static_cast<int64_t>(c) * kind_.dim,
                                    rows + (first + row) * kind_.dim,
                                    kind_.dim,
                                    query_norms_[c],
                                    s[row * pitch_ + c],
                                    row_norms_[first + row]);
    }
}

}  // namespace mirror
