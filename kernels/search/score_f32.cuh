// Scores of image pairs from their region vectors by plain float arithmetic: exact mode, any number of regions and
// dimensions, both similarities, both metrics (CpuBackend::similarity).
//
//   m_r = max over t of <q_r, d_t>            dot
//         distance to the d_t nearest to q_r   Euclidean: |q|^2 - 2 <q, d> + |d|^2, least |d|^2 - 2 <q, d> first;
//         summed from the differences in double where at most a quarter of |q|^2 + |d|^2 is left
//   score = sum over r of m_r (in double), or max over r
//
// A block owns a group of query images (up to 128 regions, rows) and a group of database images (columns); regions of
// an image may straddle tiles, only the table of best matches lives as long as the block:
//
//                 columns: 64 at a time               table [images][128 rows]
//            d_0 d_0 d_0 | d_1 d_1 d_1 | d_2 ..       best match of every row
//   q_0 r=0 [ 8 x 4 products per thread,      ]  ->   in every image so far      -> one score per image pair
//   q_0 r=1 [ then through shared memory      ]
//   q_1 r=0 [ ...                             ]
//
// An image of more than 128 regions is a group of its own and takes several row tiles.
// Floor: nq * nd * regions^2 * dim FMAs; at 35 regions 105 of 128 rows and 490 of 512 columns are real.
#pragma once
#include "common/params.h"
#include "common/reduce.cuh"
#include "search/score_tile.cuh"

namespace score {

// Of a row and a column.
struct Distance {
    float value;
    bool cancelled;  // too few digits are left
};
MIRROR_FN Distance distance_of(float row_norm, float dot, float column_norm) {
    const float value = (row_norm - 2.f * dot) + column_norm;
    return {value, !(value > 0.25f * (row_norm + column_norm))};
}

// For every lane with `wanted`, replaces `value` by the distance of its two vectors, summed by the whole warp.
template <class T>
MIRROR_FN void sum_differences(bool wanted, const T* q, const T* d, int row, int column, int dim, float& value) {
    const int lane = threadIdx.x % 32;
    for (u32 votes = gpu::ballot(wanted); votes; votes &= votes - 1) {
        const int owner = gpu::popcount((votes & (0u - votes)) - 1);  // lowest lane left
        const T* a = q + i64(gpu::shfl(u32(row), owner)) * dim;
        const T* b = d + i64(gpu::shfl(u32(column), owner)) * dim;
        double sum = 0;
#pragma unroll 1
        for (int i = lane; i < dim; i += 32) {
            const double difference = double(load_one(a + i)) - double(load_one(b + i));
            sum += difference * difference;
        }
        sum = warp_sum(sum);
        if (lane == owner) value = float(sum);
    }
}

struct Tables {  // [image][kScoreBest]
    float* best;      // dot: greatest product; Euclidean: distance of the nearest
    float* part;      // Euclidean: |d|^2 - 2 <q, d> of the nearest
    int* nearest;     // Euclidean: its column; complemented where the distance cancelled
};

// Columns [first, end) of the group, whose products are in `place`, join the table.
template <bool Euclidean>
MIRROR_FN void update_tables(
    const Tables& t, const float* place, const float* norms, int first, int end, int regions) {
    const int first_image = first / regions, images = (end - 1) / regions + 1 - first_image;
#pragma unroll 1
    for (int item = threadIdx.x; item < images * kScoreRows; item += kScoreThreads) {
        const int row = item % kScoreRows, image = first_image + item / kScoreRows;
        const int at = image * kScoreBest + row, start = image * regions;
        const int from = start > first ? start : first, to = start + regions < end ? start + regions : end;
        if (!Euclidean) {
            float best = from == start ? -__builtin_inff() : t.best[at];
#pragma unroll 1
            for (int c = from; c < to; ++c) best = gpu::max_f32(best, place[product_place(row, c - first)]);
            t.best[at] = best;
            continue;
        }
        const float row_norm = norms[row];
        float part = from == start ? 0.f : t.part[at];
#pragma unroll 1
        for (int c = from; c < to; ++c) {
            const float dot = place[product_place(row, c - first)];
            const float column_norm = norms[kScoreRows + c - first];
            const float candidate = column_norm - 2.f * dot;
            if (c != start && !(candidate < part)) continue;
            part = candidate;
            const Distance distance = distance_of(row_norm, dot, column_norm);
            t.best[at] = distance.value;
            t.nearest[at] = distance.cancelled ? ~c : c;
        }
        t.part[at] = part;
    }
}

// A product is a score. The loop is the same for all lanes of a warp, which sum differences together.
template <bool Euclidean, class T>
MIRROR_FN void write_products(const ScoreParams& p, const Operand<T>& q, const Operand<T>& d, const float* place,
                              const float* norms, float* scores) {
#pragma unroll 1
    for (int item = threadIdx.x; item < kScoreRows * kScoreColumns; item += kScoreThreads) {
        const int row = item / kScoreColumns, column = item % kScoreColumns;
        const bool real = row < q.rows && column < d.rows;
        float value = place[product_place(row, column)];
        if (Euclidean) {
            const Distance distance = distance_of(norms[row], value, norms[kScoreRows + column]);
            value = distance.value;
            sum_differences(real && distance.cancelled, q.first, d.first, row, column, p.dim, value);
        }
        if (real) scores[row * p.pitch + column] = value;
    }
}

template <class T, bool Euclidean>
MIRROR_FN void score_groups(const ScoreParams& p) {
    auto* stages = reinterpret_cast<float*>(gpu::dynamic_smem());
    float* norms = stages + kScoreProducts;
    float* table = norms + (Euclidean ? kScoreNorms : 0);
    const int group = int((p.nd + gridDim.x - 1) / gridDim.x);  // images
    const i64 d_image = i64(group) * blockIdx.x;
    if (d_image >= p.nd) return;
    const int d_images = int(p.nd - d_image < group ? p.nd - d_image : group), columns = d_images * p.regions;
    const Tables tables{table, table + group * kScoreBest, reinterpret_cast<int*>(table + 2 * group * kScoreBest)};
    const T* d = static_cast<const T*>(p.d) + d_image * p.regions * p.dim;
    const int q_group = p.regions > kScoreRows ? 1 : kScoreRows / p.regions;
    const u64 addresses = reinterpret_cast<u64>(p.q) | reinterpret_cast<u64>(p.d);
    const bool vectors = p.dim % 4 == 0 && addresses % (4 * sizeof(T)) == 0;

    for (i64 q_image = i64(blockIdx.y) * q_group; q_image < p.nq; q_image += i64(gridDim.y) * q_group) {
        const int q_images = int(p.nq - q_image < q_group ? p.nq - q_image : q_group), rows = q_images * p.regions;
        const T* q = static_cast<const T*>(p.q) + q_image * p.regions * p.dim;
        float* scores = p.scores + q_image * p.pitch + d_image;
        double carried = 0;  // of a score that takes several row tiles: its thread has no other
        for (int row = 0; row < rows; row += kScoreRows, q += i64(kScoreRows) * p.dim) {
            const int height = rows - row < kScoreRows ? rows - row : kScoreRows;
            for (int column = 0; column < columns; column += kScoreColumns) {
                const int width = columns - column < kScoreColumns ? columns - column : kScoreColumns;
                const Operand<T> left{q, height, p.dim, vectors};
                const Operand<T> right{d + i64(column) * p.dim, width, p.dim, vectors};
                float products[8][4];
                multiply<Euclidean, T>(left, right, stages, norms, column == 0, products);
                store_products(stages, products);
                gpu::sync_block();
                if (p.regions > 1)
                    update_tables<Euclidean>(tables, stages, norms, column, column + width, p.regions);
                else
                    write_products<Euclidean, T>(p, left, right, stages, norms, scores + column);
                gpu::sync_block();  // the place of the products becomes stages again
            }
            if (p.regions == 1) continue;
            if (Euclidean) {
#pragma unroll 1
                for (int item = threadIdx.x; item < d_images * kScoreRows; item += kScoreThreads) {
                    const int r = item % kScoreRows, at = item / kScoreRows * kScoreBest + r;
                    const int nearest = tables.nearest[at];
                    float value = tables.best[at];
                    sum_differences(r < height && nearest < 0, q, d, r, ~nearest, p.dim, value);
                    tables.best[at] = value;
                }
                gpu::sync_block();
            }
            const int per_image = p.regions < height ? p.regions : height;
#pragma unroll 1
            for (int item = threadIdx.x; item < q_images * d_images; item += kScoreThreads) {
                const int i = item / d_images, j = item % d_images;
                const float* best = tables.best + j * kScoreBest + i * p.regions;
                double sum = row ? carried : p.similarity == 1 ? -__builtin_inf() : 0.0;
                for (int r = 0; r < per_image; ++r) {
                    const double m = best[r];
                    sum = p.similarity == 0 ? sum + m : m > sum ? m : sum;
                }
                carried = sum;
                if (row + kScoreRows >= rows) scores[i * p.pitch + j] = float(sum);
            }
        }
    }
}

template <class T>
MIRROR_FN void score(const ScoreParams& p) {
    if (p.metric == 1)
        score_groups<T, true>(p);
    else
        score_groups<T, false>(p);
}

}  // namespace score
