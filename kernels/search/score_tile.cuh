// A tile of 128 x 64 dot products by plain float arithmetic, and its place in shared memory: the main loop of
// score_f32.cuh.
//
// 256 threads compute 8 x 4 products each. 8 dimensions per stage, two stages, the next one in registers while this one
// is multiplied. Stages are [dimension][row] with pitches of 132 and 68 floats, so the transposing stores (2 x 4
// dimensions of 16 rows per warp) are free of conflicts; a warp's loads are broadcasts and runs of 16 bytes. 32 FMAs
// per 3 loads of 16 bytes. Products take the place of the stages, in rows of an odd number of floats: a scan with a
// lane per row is free of conflicts, the stores take two passes.
#pragma once
#include "common/vec.cuh"
#include "search/launch.h"

namespace score {

template <class T>
MIRROR_FN void load4(const T* p, float (&v)[4]) {
    const float2 raw = *reinterpret_cast<const float2*>(p);
    const float2 low = gpu::unpack2<T>(gpu::float_bits(raw.x)), high = gpu::unpack2<T>(gpu::float_bits(raw.y));
    v[0] = low.x, v[1] = low.y, v[2] = high.x, v[3] = high.y;
}
template <>
MIRROR_FN void load4<float>(const float* p, float (&v)[4]) {
    const float4 raw = *reinterpret_cast<const float4*>(p);
    v[0] = raw.x, v[1] = raw.y, v[2] = raw.z, v[3] = raw.w;
}

template <class T>
struct Operand {
    const T* first;  // row
    int rows;        // that exist; further ones count as zeros
    int dim;
    bool vectors;    // rows start at multiples of four elements
};

// Four dimensions of a row per thread, on their way from global memory to a stage.
template <class T>
MIRROR_FN void fetch(const Operand<T>& operand, int depth, float (&v)[4]) {
    const int row = threadIdx.x / 2, k = depth + threadIdx.x % 2 * 4;
    const T* from = operand.first + i64(row) * operand.dim + k;
    if (row < operand.rows && operand.vectors && k < operand.dim) {
        load4(from, v);
    } else {
#pragma unroll
        for (int i = 0; i < 4; ++i) v[i] = row < operand.rows && k + i < operand.dim ? load_one(from + i) : 0.f;
    }
}
template <int Pitch>
MIRROR_FN void stash(float* stage, const float (&v)[4]) {
#pragma unroll
    for (int i = 0; i < 4; ++i) stage[(threadIdx.x % 2 * 4 + i) * Pitch + threadIdx.x / 2] = v[i];
}

// Of a stage; the square of a float is exact in double, so an addition that fuses it rounds as one that does not.
template <int Pitch>
MIRROR_FN void add_squares(const float* values, double& sum) {
#pragma unroll 4
    for (int k = 0; k < kScoreDepth; ++k) {
        const double value = values[k * Pitch];
        sum = gpu::fma(value, value, sum);
    }
}

// products[i][j]: rows 4 ty + i and 64 + 4 ty + i - 4 times column 4 tx + j. With Norms, also the squared length of
// every column, in double until it is complete, and of every row where `norm_rows`; else they are there from an earlier
// tile of these rows. Ends with a barrier.
template <bool Norms, class T>
MIRROR_FN void multiply(
    const Operand<T>& q, const Operand<T>& d, float* stages, float* norms, bool norm_rows, float (&products)[8][4]) {
    const int tx = threadIdx.x % 16 * 4, ty = threadIdx.x / 16 * 4;
    const bool fetches_columns = threadIdx.x < 2 * kScoreColumns;
    const bool norm = Norms && threadIdx.x < kScoreNorms && (norm_rows || threadIdx.x >= kScoreRows);
    constexpr int columns_at = kScoreDepth * kScoreRowPitch;
    float next_q[4], next_d[4];
    double square = 0;
#pragma unroll
    for (int i = 0; i < 8; ++i)
#pragma unroll
        for (int j = 0; j < 4; ++j) products[i][j] = 0;
    fetch(q, 0, next_q);
    stash<kScoreRowPitch>(stages, next_q);
    if (fetches_columns) fetch(d, 0, next_d), stash<kScoreColumnPitch>(stages + columns_at, next_d);
    gpu::sync_block();
    for (int depth = 0, turn = 0; depth < q.dim; depth += kScoreDepth, turn ^= 1) {
        const int next = depth + kScoreDepth;
        if (next < q.dim) {
            fetch(q, next, next_q);
            if (fetches_columns) fetch(d, next, next_d);
        }
        const float* rows = stages + turn * kScoreStage;
        const float* columns = rows + columns_at;
#pragma unroll 2
        for (int k = 0; k < kScoreDepth; ++k) {
            Vec<float> a[2], b;
            a[0].load(rows + k * kScoreRowPitch + ty);
            a[1].load(rows + k * kScoreRowPitch + kScoreRows / 2 + ty);
            b.load(columns + k * kScoreColumnPitch + tx);
#pragma unroll
            for (int i = 0; i < 8; ++i)
#pragma unroll
                for (int j = 0; j < 4; ++j) products[i][j] = gpu::fma(a[i / 4].v[i % 4], b.v[j], products[i][j]);
        }
        if (norm && threadIdx.x < kScoreRows)
            add_squares<kScoreRowPitch>(rows + threadIdx.x, square);
        else if (norm)
            add_squares<kScoreColumnPitch>(columns + threadIdx.x - kScoreRows, square);
        if (next < q.dim) {
            float* other = stages + (turn ^ 1) * kScoreStage;
            stash<kScoreRowPitch>(other, next_q);
            if (fetches_columns) stash<kScoreColumnPitch>(other + columns_at, next_d);
        }
        gpu::sync_block();
    }
    if (norm) norms[threadIdx.x] = float(square);
}

static_assert(2 * kScoreStage <= kScoreProducts, "a tile of products takes the place of the stages");

// Columns lie where neighbouring threads store theirs side by side.
MIRROR_FN int product_place(int row, int column) {
    return row * kScoreProductPitch + column % 4 * 16 + column / 4;
}

MIRROR_FN void store_products(float* place, const float (&products)[8][4]) {
    const int tx = threadIdx.x % 16 * 4, ty = threadIdx.x / 16 * 4;
#pragma unroll
    for (int i = 0; i < 8; ++i)
#pragma unroll
        for (int j = 0; j < 4; ++j)
            place[product_place(i / 4 * (kScoreRows / 2) + ty + i % 4, tx + j)] = products[i][j];
}

}  // namespace score
