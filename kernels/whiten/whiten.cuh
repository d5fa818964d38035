// PCA whitening of rows, in double (CpuBackend::whiten):
//
//   v = x projection^T - offset        out = v / |v|, zeros where |v| is not above `residue`
//
// A block owns 32 rows and walks the output dimensions in tiles of 64, so it knows |v| when it has seen them all. The
// tiles go to `out` as floats, divided by a power of two near the norm of the row's first tile that is not zero (so
// that no row overflows a float), and are scaled by the block at the end: two roundings to float instead of one.
//
//            projection: 64 rows of out_dim              thread: rows 4 (warp + 4 * half) + i,
//   32 rows  [ 16 half-warps of 4 x 4 doubles  ] ...     columns lane % 16 + 16 j
//
// Stages of 16 dimensions, [row][dimension] with a pitch of 18 doubles: a thread reads pairs of dimensions, 16 lanes
// over 16 columns without conflicts, the rows as broadcasts. The next stage waits in registers.
// Floor: rows * dim * out_dim double FMAs; 64 per clock and SM on A100 and H100 at best.
#pragma once
#include "common/params.h"
#include "common/ptx.cuh"
#include "whiten/launch.h"

namespace whiten {

struct alignas(16) Pair {
    double x, y;
};

// What a thread brings into a stage: 4 dimensions of a row, 8 of a row of the projection.
struct Next {
    float x[4];
    double projection[8];
};
MIRROR_FN void fetch(const WhitenParams& p, i64 first_row, int first_column, int depth, Next& next) {
    const int row = threadIdx.x / 4, k = depth + threadIdx.x % 4 * 4;
    const float* x = p.x + (first_row + row) * p.dim + k;
#pragma unroll
    for (int i = 0; i < 4; ++i) next.x[i] = first_row + row < p.rows && k + i < p.dim ? x[i] : 0.f;
#pragma unroll
    for (int j = 0; j < 8; ++j) {  // 16 lanes along a row
        const int column = first_column + j * 8 + int(threadIdx.x / 16), at = depth + int(threadIdx.x % 16);
        next.projection[j] = column < p.out_dim && at < p.dim ? p.projection[i64(column) * p.dim + at] : 0.0;
    }
}
MIRROR_FN void stash(double* rows, double* columns, const Next& next) {
#pragma unroll
    for (int i = 0; i < 4; ++i) rows[threadIdx.x / 4 * kWhitenPitch + threadIdx.x % 4 * 4 + i] = double(next.x[i]);
#pragma unroll
    for (int j = 0; j < 8; ++j)
        columns[(j * 8 + threadIdx.x / 16) * kWhitenPitch + threadIdx.x % 16] = next.projection[j];
}

// v[i][j] = row i of this half-warp times column j of this lane, of the tile that starts at first_column.
MIRROR_FN void multiply(const WhitenParams& p, i64 first_row, int first_column, double (&v)[4][4]) {
    auto* rows = reinterpret_cast<double*>(gpu::dynamic_smem());
    double* columns = rows + kWhitenRows * kWhitenPitch;
    const int lane = threadIdx.x % 16, half_warp = threadIdx.x / 16;
#pragma unroll
    for (int i = 0; i < 4; ++i)
#pragma unroll
        for (int j = 0; j < 4; ++j) v[i][j] = 0;
    Next next;
    fetch(p, first_row, first_column, 0, next);
    for (int depth = 0; depth < p.dim; depth += kWhitenDepth) {
        gpu::sync_block();  // the stage before has been read
        stash(rows, columns, next);
        gpu::sync_block();
        if (depth + kWhitenDepth < p.dim) fetch(p, first_row, first_column, depth + kWhitenDepth, next);
#pragma unroll 2
        for (int k = 0; k < kWhitenDepth; k += 2) {
            Pair a[4], b[4];
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                a[i] = *reinterpret_cast<const Pair*>(rows + (half_warp * 4 + i) * kWhitenPitch + k);
                b[i] = *reinterpret_cast<const Pair*>(columns + (i * 16 + lane) * kWhitenPitch + k);
            }
#pragma unroll
            for (int i = 0; i < 4; ++i)
#pragma unroll
                for (int j = 0; j < 4; ++j) v[i][j] = gpu::fma(a[i].y, b[j].y, gpu::fma(a[i].x, b[j].x, v[i][j]));
        }
    }
}

// Over the 16 lanes that share rows; every one gets the sum.
MIRROR_FN double half_warp_sum(double v) {
#pragma unroll
    for (int mask = 8; mask > 0; mask /= 2) v += gpu::shfl_xor(v, mask);
    return v;
}
// 1 / v rounded to a power of two; v is positive and finite or the caller's row is lost anyway.
MIRROR_FN double inverse_power_of_two(double v) {
    const u64 exponent = gpu::double_bits(v) >> 52 & 2047;
    return gpu::bits_double((exponent < 1 ? 2045 : exponent > 2045 ? 1 : 2046 - exponent) << 52);
}

MIRROR_FN void whiten(const WhitenParams& p) {
    const i64 first_row = i64(blockIdx.x) * kWhitenRows;
    const int lane = threadIdx.x % 16;
    const i64 row = first_row + threadIdx.x / 16 * 4;  // and three more
    double squares[4] = {}, scale[4] = {};             // scale 0: nothing but zeros so far
    for (int tile = 0; tile < p.out_dim; tile += kWhitenColumns) {
        double v[4][4];
        multiply(p, first_row, tile, v);
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            double square = 0;
#pragma unroll
            for (int j = 0; j < 4; ++j) {
                const int column = tile + lane + 16 * j;
                v[i][j] -= column < p.out_dim ? p.offset[column] : 0.0;
                square += v[i][j] * v[i][j];
            }
            square = half_warp_sum(square);
            squares[i] += square;
            if (scale[i] == 0 && square > 0) scale[i] = inverse_power_of_two(gpu::sqrt(square));
#pragma unroll
            for (int j = 0; j < 4; ++j) {
                const int column = tile + lane + 16 * j;
                if (row + i < p.rows && column < p.out_dim)
                    p.out[(row + i) * p.out_dim + column] = float(v[i][j] * scale[i]);
            }
        }
    }
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        if (row + i >= p.rows) break;
        const double norm = gpu::sqrt(squares[i]);
        const double factor = norm > p.residue ? gpu::div(1.0, norm * scale[i]) : 0.0;
        float* out = p.out + (row + i) * p.out_dim;
        for (int column = lane; column < p.out_dim; column += 16)  // every lane scales what it wrote
            out[column] = norm > p.residue ? float(out[column] * factor) : 0.f;
    }
}

}  // namespace whiten
