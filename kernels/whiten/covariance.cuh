// What the PCA fit needs of many rows, in double: column sums, the covariance, centred rows for cuBLAS.
//
//   sums[c] += sum over rows of x[row, c]
//   covariance[i, j] += scale * sum over rows of (x[row, i] - mean[i]) (x[row, j] - mean[j])
//
// column_sums: a block owns 32 columns, its 32 warps take every 32nd row, the partial sums meet in a fixed order.
// covariance: a block owns one 64 x 64 tile on or below the diagonal and walks all rows; it adds the tile and, off the
// diagonal, its mirror image, so every element has one writer and both triangles are equal bit for bit. Stages of 16
// rows are centred on their way into shared memory; a thread multiplies 4 x 4, columns in pairs 32 apart, which keeps
// its 16-byte loads free of conflicts. Floor: rows * dim^2 / 2 double FMAs.
#pragma once
#include "common/index.cuh"
#include "common/params.h"
#include "whiten/launch.h"

namespace whiten {

MIRROR_FN void column_sums(const ColumnSumsParams& p) {
    auto* partial = reinterpret_cast<double*>(gpu::dynamic_smem());  // [group][column]
    const int lane = threadIdx.x % kSumColumns, group = threadIdx.x / kSumColumns;
    const int column = int(blockIdx.x) * kSumColumns + lane;
    double sum = 0;
    if (column < p.dim)
#pragma unroll 4
        for (i64 row = group; row < p.rows; row += kSumGroups) sum += double(p.x[row * p.dim + column]);
    partial[group * kSumColumns + lane] = sum;
    gpu::sync_block();
    if (group != 0 || column >= p.dim) return;
    for (int g = 1; g < kSumGroups; ++g) sum += partial[g * kSumColumns + lane];
    p.sums[column] += sum;
}

struct alignas(16) Columns {
    double x, y;
};

MIRROR_FN void covariance(const CovarianceParams& p) {
    constexpr int tile = kCovarianceTile, depth = kCovarianceDepth;
    // Block b is tile (i, j) of the triangle: b = i (i + 1) / 2 + j, j <= i.
    const i64 b = blockIdx.x;
    int i_tile = int((gpu::sqrt(8.0 * double(b) + 1.0) - 1.0) * 0.5);
    while (i64(i_tile + 1) * (i_tile + 2) / 2 <= b) ++i_tile;
    while (i64(i_tile) * (i_tile + 1) / 2 > b) --i_tile;
    const int j_tile = int(b - i64(i_tile) * (i_tile + 1) / 2);

    auto* stage_i = reinterpret_cast<double*>(gpu::dynamic_smem());  // [row][column]
    double* stage_j = stage_i + depth * tile;
    const int own = threadIdx.x % tile, own_row = threadIdx.x / tile;  // of a stage; every fourth row
    const int i_column = i_tile * tile + own, j_column = j_tile * tile + own;
    const double i_mean = i_column < p.dim ? p.mean[i_column] : 0.0, j_mean = j_column < p.dim ? p.mean[j_column] : 0.0;
    const int tx = threadIdx.x % 16 * 2, ty = threadIdx.x / 16 * 2;
    double sum[4][4];
#pragma unroll
    for (int i = 0; i < 4; ++i)
#pragma unroll
        for (int j = 0; j < 4; ++j) sum[i][j] = 0;
    for (i64 first = 0; first < p.rows; first += depth) {
#pragma unroll
        for (int k = 0; k < depth; k += kCovarianceThreads / tile) {
            const i64 row = first + k + own_row;
            const float* x = p.x + row * p.dim;
            const int at = (k + own_row) * tile + own;
            stage_i[at] = row < p.rows && i_column < p.dim ? double(x[i_column]) - i_mean : 0.0;
            stage_j[at] = row < p.rows && j_column < p.dim ? double(x[j_column]) - j_mean : 0.0;
        }
        gpu::sync_block();
#pragma unroll 2
        for (int k = 0; k < depth; ++k) {
            double a[4], c[4];
#pragma unroll
            for (int half = 0; half < 2; ++half) {
                const Columns left = *reinterpret_cast<const Columns*>(stage_i + k * tile + half * 32 + ty);
                const Columns right = *reinterpret_cast<const Columns*>(stage_j + k * tile + half * 32 + tx);
                a[half * 2] = left.x, a[half * 2 + 1] = left.y;
                c[half * 2] = right.x, c[half * 2 + 1] = right.y;
            }
#pragma unroll
            for (int i = 0; i < 4; ++i)
#pragma unroll
                for (int j = 0; j < 4; ++j) sum[i][j] = gpu::fma(a[i], c[j], sum[i][j]);
        }
        gpu::sync_block();
    }
#pragma unroll
    for (int i = 0; i < 4; ++i)
#pragma unroll
        for (int j = 0; j < 4; ++j) {
            const int row = i_tile * tile + i / 2 * 32 + ty + i % 2, column = j_tile * tile + j / 2 * 32 + tx + j % 2;
            if (row >= p.dim || column >= p.dim) continue;
            const double value = p.scale * sum[i][j];
            p.covariance[i64(row) * p.dim + column] += value;
            if (i_tile != j_tile) p.covariance[i64(column) * p.dim + row] += value;
        }
}

MIRROR_FN void center(const CenterParams& p) {
    const i64 at = thread_index();
    i64 row = at;
    const int column = split(row, p.dim);
    if (row < p.rows) p.y[at] = double(p.x[at]) - p.mean[column];
}

}  // namespace whiten
