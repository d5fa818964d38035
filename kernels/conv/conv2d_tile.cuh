// What every convolution by cp.async shares: how a block fetches its slices of pixels and filters.
//
// GEMM view of conv2d: M = n * p * q output pixels, N = k filters, K = r * s * c in the order of the filters' memory.
// A slice holds BK elements of K for BM pixels, then for BN filters, as rows of 16-byte vectors. Each thread fetches
// the same vector column of every ROWS-th row, so all its vectors share one tap and channel, which it steps through
// without a division. A vector never spans two taps because c is a multiple of VEC; a slice may, and no K is wasted
// where c is not a multiple of BK. Bounds and shifts change only when the tap does: within a tap, and so for a whole
// 1x1 convolution, a step costs what a matrix product's would.
#pragma once
#include "common/params.h"
#include "common/ptx.cuh"

namespace conv2d {

// Byte offset of vector `v` of row `row`. The XOR spreads eight consecutive rows over all 32 banks, for ldmatrix and
// for 16-byte loads alike.
template <int ROW_BYTES>
MIRROR_FN int swizzled(int row, int v) {
    return row * ROW_BYTES + ((ROW_BYTES == 128 ? v ^ (row & 7) : v ^ (row >> 1 & 3)) << 4);
}

// `filter0` is the filter in this thread's first filter row; row + i * ROWS holds filter0 + i * ROWS.
template <class T, class Tile>
struct Loader {
    static constexpr int SIZE = sizeof(T), VEC = 16 / SIZE, ROWS = Tile::THREADS / Tile::VECS;
    static constexpr int PIXELS = Tile::BM / ROWS, FILTERS = Tile::BN / ROWS;  // rows of each per thread
    static_assert(Tile::BM % ROWS == 0 && Tile::BN % ROWS == 0 && ROWS % 8 == 0, "rows are swizzled alike");

    const Conv2dParams& p;
    const u8* pixel[PIXELS];    // at tap (0, 0), channel 0; perhaps outside the image
    int iy[PIXELS], ix[PIXELS];
    const u8* filter;           // this thread's vector of filter0
    long long filter_pitch;     // bytes from one filter row to the next
    u32 filters;                // bit i: filter row i exists
    u32 dst;                    // first vector within a stage
    int r = 0, s = 0, c;        // tap and channel of the next slice
    long long shift;            // ... as bytes from pixel[]
    u32 inside;                 // bit i: that tap of pixel i lies in the image
    int left;                   // elements of K from here on

    static MIRROR_FN int first_row() { return threadIdx.x / Tile::VECS; }

    MIRROR_FN Loader(const Conv2dParams& p, int m0, int filter0) : p(p) {
        const int vec = threadIdx.x % Tile::VECS, row = first_row(), k_size = p.r * p.s * p.c;
        const bool pointwise = p.r * p.s == 1 && p.stride_h == 1 && p.stride_w == 1 && p.p == p.h && p.q == p.w &&
                               (p.pad_top | p.pad_left) == 0;
        dst = swizzled<Tile::ROW_BYTES>(row, vec);
        c = vec * VEC, left = k_size - c;
#pragma unroll
        for (int i = 0; i < PIXELS; ++i) {
            const int m = m0 + row + i * ROWS;
            long long at = m;
            if (pointwise) {
                iy[i] = m < p.n * p.p * p.q ? 0 : OUTSIDE, ix[i] = 0;
            } else {
                const int line = m / p.q, image = line / p.p, oy = line - image * p.p;
                const int y = oy * p.stride_h - p.pad_top;
                ix[i] = (m - line * p.q) * p.stride_w - p.pad_left;
                iy[i] = image < p.n ? y : OUTSIDE;
                at = (1ll * image * p.h + y) * p.w + ix[i];
            }
            pixel[i] = static_cast<const u8*>(p.x) + at * p.x_pitch * SIZE;
        }
        filter = static_cast<const u8*>(p.weights) + (1ll * filter0 * k_size + c) * SIZE;
        filter_pitch = 1ll * ROWS * k_size * SIZE;
        filters = 0;
#pragma unroll
        for (int i = 0; i < FILTERS; ++i) filters |= u32(filter0 + i * ROWS < p.k) << i;
        enter_tap();
    }

    // Fetches the next slice into the stage at `stage`; the caller commits.
    MIRROR_FN void fetch(u32 stage) {
        const u32 pixels_ok = left > 0 ? inside : 0, filters_ok = left > 0 ? filters : 0;
        const u32 a = stage + dst, b = a + Tile::BM * Tile::ROW_BYTES;
#pragma unroll
        for (int i = 0; i < PIXELS; ++i)
            gpu::cp_async_16(a + i * ROWS * Tile::ROW_BYTES, pixel[i] + shift, pixels_ok >> i & 1);
#pragma unroll
        for (int i = 0; i < FILTERS; ++i)
            gpu::cp_async_16(b + i * ROWS * Tile::ROW_BYTES, filter + i * filter_pitch, filters_ok >> i & 1);
        filter += Tile::ROW_BYTES, shift += Tile::ROW_BYTES, c += Tile::BK, left -= Tile::BK;
        if (c >= p.c) enter_tap();
    }

  private:
    static constexpr int OUTSIDE = -(1 << 28);

    MIRROR_FN void enter_tap() {
        while (c >= p.c) {
            c -= p.c;
            if (++s == p.s) s = 0, ++r;
        }
        shift = ((1ll * r * p.w + s) * p.x_pitch + c) * SIZE;
        inside = 0;
#pragma unroll
        for (int i = 0; i < PIXELS; ++i)
            inside |= u32(u32(iy[i] + r) < u32(p.h) && u32(ix[i] + s) < u32(p.w)) << i;
    }
};

// The stages of the ring in turn.
template <class Tile>
struct Stage {
    u32 first, at;
    MIRROR_FN Stage(u32 ring, int stage) : first(ring), at(ring + stage * Tile::STAGE_BYTES) {}
    MIRROR_FN void next() {
        at += Tile::STAGE_BYTES;
        if (at == first + Tile::STAGES * Tile::STAGE_BYTES) at = first;
    }
};

// Runs `multiply(stage address)` on every slice of K in order, STAGES - 1 slices fetched ahead. One barrier a slice
// says both that slice `step` has landed for every thread and that the oldest stage is free again.
template <class Tile, class Load, class Multiply>
MIRROR_FN void slices(const Conv2dParams& p, Load& load, u32 ring, Multiply&& multiply) {
    const int steps = (p.r * p.s * p.c + Tile::BK - 1) / Tile::BK;
#pragma unroll
    for (int i = 0; i < Tile::STAGES - 1; ++i) {
        if (i < steps) load.fetch(ring + i * Tile::STAGE_BYTES);
        gpu::cp_async_commit();
    }
    Stage<Tile> now(ring, 0), ahead(ring, Tile::STAGES - 1);
    for (int step = 0; step < steps; ++step, now.next(), ahead.next()) {
        gpu::cp_async_wait<Tile::STAGES - 2>();
        gpu::sync_block();
        if (step + Tile::STAGES - 1 < steps) load.fetch(ahead.at);
        gpu::cp_async_commit();
        multiply(now.at);
    }
}

}  // namespace conv2d
