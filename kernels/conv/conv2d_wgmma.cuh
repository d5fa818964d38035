// Convolution on Hopper as an implicit GEMM: TMA gathers the pixels of a filter tap (im2col mode), wgmma multiplies.
// Contract: Conv2dParams, with `maps`. Formula and operand names follow the CUTLASS forward convolution for sm_90.
//
//   y[pixel, filter] = relu?(sum over taps (i, j), channels of x[pixel + (i, j)] * w[filter, i, j] + bias + residual)
//
//   GEMM      M = n * p * q output pixels, N = k filters, K = r * s taps of c channels, in slices of 64
//   tile      128 x BN; a block walks tiles blockIdx.x, + gridDim.x, ...; neighbours in N share their pixels in L2
//
//                        BN filters                  warpgroup 0   warp 0: one thread fills the ring of stages
//              +-----------------------+                           warp 1: one thread fetches residual tiles
//    64 pixels |  warpgroup 1          |             warpgroup 1   multiply from shared memory, add bias and residual,
//              +-----------------------+             warpgroup 2   write their 64 rows through one output buffer each
//    64 pixels |  warpgroup 2          |
//              +-----------------------+
//
//   stage     [pixels 128][64] then [filters BN][64], 128-byte rows, swizzled by TMA, read by wgmma without conflicts
//   output    per warpgroup BN / 64 boxes of [64 pixels][64 filters], swizzled alike: the residual arrives in it, every
//             16-byte cell is read (ldmatrix), summed and written back in place (stmatrix), TMA stores it
//   full[i]   stage i has landed                      empty[i]     all warps of both consumers are done with it
//   fetched   the residual tile has landed            released     the output buffer has been read by TMA
//
// Maps: pixels (c, w, h, n) im2col, box 64 channels x 128 pixels; filters (r * s * c, k), box 64 x BN; residual and
// output (k, n * p * q) with pitch y_pitch, box 64 x 64. TMA fills with zeros what lies outside: padding, channels
// beyond c, rows beyond the last pixel or filter; stores leave it alone. A last slice of a tap shorter than 64 channels
// multiplies those zeros with weights of the next tap, which are finite. residual may be y: cells are read before they
// are written.
//
// Floor: 2 * M * N * K FLOP at the tensor cores (BN 256: 80 bytes of shared memory per clock of 128; BN 64: all 128);
// bytes of x, w, residual and y once. L2 reads (128 + BN) * 128 bytes per 64 of K: 64 bytes per clock and
// multiprocessor with BN 128, 48 with 256, so the wide tile wins where k has 256 filters.
#pragma once
#include "common/ptx_sm90.cuh"
#include "conv/overflow.cuh"
#include "conv/wgmma_launch.h"

#if defined(MIRROR_SM90) || !defined(MIRROR_DEVICE_CODE)

namespace conv2d_wgmma {

template <int BN>
struct Shared {  // addresses
    static constexpr int STAGES = stages(BN), STAGE = stage_bytes(BN), ROWS_BYTES = kRows * kDepth * 2;
    static constexpr int BOX = 64 * 64 * 2, BOXES = BN / 64, OUTPUT = output_bytes(BN), CONSUMER_WARPS = 8;
    u32 ring, output, full, empty, fetched, released;
    MIRROR_FN Shared() {
        ring = gpu::smem_addr(gpu::dynamic_smem());
        output = ring + STAGES * STAGE;
        full = output + OUTPUT, empty = full + 8 * STAGES;
        fetched = empty + 8 * STAGES, released = fetched + 8 * 2;
    }
    MIRROR_FN void init_barriers() const {
        for (int i = 0; i < STAGES; ++i) gpu::mbar_init(full + 8 * i, 1), gpu::mbar_init(empty + 8 * i, CONSUMER_WARPS);
        for (int i = 0; i < 2; ++i) gpu::mbar_init(fetched + 8 * i, 1), gpu::mbar_init(released + 8 * i, 1);
        gpu::mbar_fence_init();
    }
};

template <int Stages>
struct RingPosition {
    int stage = 0, parity = 0;  // parity of the phase in which the stage is filled
    MIRROR_FN void next() {
        if (++stage == Stages) stage = 0, parity ^= 1;
    }
};

struct Shape {
    int tiles_n, tiles, steps;
    template <int BN>
    static MIRROR_FN Shape of(const Conv2dParams& p) {
        Shape s;
        s.tiles_n = (p.k + BN - 1) / BN;
        s.tiles = (p.n * p.p * p.q + kRows - 1) / kRows * s.tiles_n;
        s.steps = p.r * p.s * ((p.c + kDepth - 1) / kDepth);
        return s;
    }
};

struct Maps {
    const TensorMap *pixels, *filters, *residual, *output;
    explicit MIRROR_FN Maps(const void* maps)
        : pixels(static_cast<const TensorMap*>(maps)), filters(pixels + 1), residual(pixels + 2), output(pixels + 3) {}
};

// One thread: pixels and filters of every step of every tile.
template <int BN>
MIRROR_FN void load_operands(const Conv2dParams& p, const Shape& shape, const Maps& maps, const Shared<BN>& at) {
    gpu::tma_acquire(maps.pixels);
    gpu::tma_acquire(maps.filters);
    RingPosition<Shared<BN>::STAGES> position;
    for (int tile = blockIdx.x; tile < shape.tiles; tile += gridDim.x) {
        const int m0 = tile / shape.tiles_n * kRows, n0 = tile % shape.tiles_n * BN;
        const int image = m0 / (p.p * p.q), pixel = m0 % (p.p * p.q);
        const int y = pixel / p.q * p.stride_h - p.pad_top, x = pixel % p.q * p.stride_w - p.pad_left;
        int i = 0, j = 0, c = 0;  // tap and first channel
        for (int step = 0; step < shape.steps; ++step, position.next()) {
            const u32 stage = at.ring + position.stage * Shared<BN>::STAGE, full = at.full + 8 * position.stage;
            gpu::mbar_wait(at.empty + 8 * position.stage, position.parity ^ 1);
            gpu::mbar_arrive_expect(full, Shared<BN>::STAGE);
            gpu::tma_load_im2col(stage, maps.pixels, full, c, x, y, image, j, i);
            gpu::tma_load_2d(stage + Shared<BN>::ROWS_BYTES, maps.filters, full, (i * p.s + j) * p.c + c, n0);
            c += kDepth;
            if (c >= p.c) {
                c = 0;
                if (++j == p.s) j = 0, ++i;
            }
        }
    }
}

// One thread: the residual of every tile, into the output buffers.
template <int BN>
MIRROR_FN void load_residuals(const Shape& shape, const Maps& maps, const Shared<BN>& at) {
    gpu::tma_acquire(maps.residual);
    int parity = 0;
    for (int tile = blockIdx.x; tile < shape.tiles; tile += gridDim.x, parity ^= 1) {
        const int m0 = tile / shape.tiles_n * kRows, n0 = tile % shape.tiles_n * BN;
        for (int group = 0; group < 2; ++group) {
            const u32 fetched = at.fetched + 8 * group;
            gpu::mbar_wait(at.released + 8 * group, parity ^ 1);
            gpu::mbar_arrive_expect(fetched, Shared<BN>::BOXES * Shared<BN>::BOX);
            for (int box = 0; box < Shared<BN>::BOXES; ++box)
                gpu::tma_load_2d(at.output + (group * Shared<BN>::BOXES + box) * Shared<BN>::BOX, maps.residual,
                                 fetched, n0 + box * 64, m0 + group * 64);
        }
    }
}

// A consumer's 64 rows of one tile: all steps, at most two of them in flight.
template <class T, int BN>
MIRROR_FN void multiply(float (&acc)[BN / 2], int steps, int group, const Shared<BN>& at,
                        RingPosition<Shared<BN>::STAGES>& position) {
    const bool speaker = threadIdx.x % 32 == 0;
#pragma unroll
    for (float& v : acc) v = 0.f;
    int last = 0;
    for (int step = 0; step < steps; ++step, position.next()) {
        const u32 stage = at.ring + position.stage * Shared<BN>::STAGE;
        const u32 a = stage + group * Shared<BN>::BOX, b = stage + Shared<BN>::ROWS_BYTES;
        gpu::mbar_wait(at.full + 8 * position.stage, position.parity);
        gpu::sync_warp();  // lanes leave the wait one by one
        gpu::wgmma_hold(acc);
        gpu::wgmma_fence();
#pragma unroll
        for (int k = 0; k < kDepth / 16; ++k)
            gpu::Wgmma<T, BN>::mma(acc, gpu::wgmma_operand(a + 32 * k), gpu::wgmma_operand(b + 32 * k));
        gpu::wgmma_commit();
        gpu::wgmma_hold(acc);
        gpu::wgmma_wait<1>();  // the step before is done, this one runs on
        if (speaker && step > 0) gpu::mbar_arrive(at.empty + 8 * last);
        last = position.stage;
    }
    gpu::wgmma_wait<0>();
    gpu::wgmma_hold(acc);
    if (speaker) gpu::mbar_arrive(at.empty + 8 * last);
}

// acc + bias (+ residual), relu, rounded once, into the consumer's output buffer: 16 x 16 elements at a time, lane i
// addresses row i % 16, 8 columns. The first `rows` of the 64 are pixels; the others hold the bias alone and are not
// stored.
template <class T, int BN>
MIRROR_FN void finish(const float (&acc)[BN / 2], const Conv2dParams& p, int n0, int rows, u32 output) {
    const int lane = threadIdx.x % 32, row = threadIdx.x % 128 / 32 * 16 + lane % 16;
    const int own = threadIdx.x % 128 / 32 * 16 + lane / 4;  // this thread's results are of rows own and own + 8
    const u32 counted[2] = {own < rows ? 0x7fff7fffu : 0, own + 8 < rows ? 0x7fff7fffu : 0};
    conv2d::Overflow<T> overflow;
#pragma unroll
    for (int j = 0; j < BN / 16; ++j) {
        const u32 chunk = (j % 4 * 2 + lane / 16) ^ (row & 7);
        const u32 cell = output + j / 4 * Shared<BN>::BOX + row * 128 + chunk * 16;
        u32 v[4];  // rows 0-7 | 8-15 of columns 0-7, then of columns 8-15
        if (p.residual) gpu::ldmatrix_x4(v, cell);
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            // A column behind the last takes any bias, so that the loads need no branch; it is neither stored nor counted.
            const int wanted = n0 + j * 16 + half * 8 + lane % 4 * 2, column = wanted < p.k ? wanted : p.k - 2;
            const float2 bias = *reinterpret_cast<const float2*>(p.bias + column);
#pragma unroll
            for (int i = half * 2; i < half * 2 + 2; ++i) {
                float low = acc[j * 8 + i * 2] + bias.x, high = acc[j * 8 + i * 2 + 1] + bias.y;
                if (p.residual) {
                    const float2 add = gpu::unpack2<T>(v[i]);
                    low += add.x, high += add.y;
                }
                v[i] = p.relu ? gpu::pack2_relu<T>(low, high) : gpu::pack2<T>(low, high);
                overflow.see(v[i], wanted < p.k ? counted[i % 2] : 0);
            }
        }
        gpu::stmatrix_x4(cell, v);
    }
    overflow.report(p.overflow);
}

template <class T, int BN>
MIRROR_FN void consume(const Conv2dParams& p, const Shape& shape, const Maps& maps, const Shared<BN>& at) {
    const int group = threadIdx.x / 128 - 1;
    const bool first = threadIdx.x % 128 == 0;
    const u32 output = at.output + group * Shared<BN>::BOXES * Shared<BN>::BOX;
    if (first) gpu::tma_acquire(maps.output);
    RingPosition<Shared<BN>::STAGES> position;
    int parity = 0;
    for (int tile = blockIdx.x; tile < shape.tiles; tile += gridDim.x, parity ^= 1) {
        const int m0 = tile / shape.tiles_n * kRows + group * 64, n0 = tile % shape.tiles_n * BN;
        float acc[BN / 2];
        multiply<T, BN>(acc, shape.steps, group, at, position);
        if (p.residual) {
            gpu::mbar_wait(at.fetched + 8 * group, parity);
        } else {
            if (first) gpu::tma_store_wait_read();  // the tile before has left the buffer
            gpu::sync_named(1 + group, 128);
        }
        finish<T, BN>(acc, p, n0, p.n * p.p * p.q - m0, output);
        gpu::fence_async_proxy();
        gpu::sync_named(1 + group, 128);
        if (!first) continue;
        for (int box = 0; box < Shared<BN>::BOXES; ++box)
            gpu::tma_store_2d(maps.output, output + box * Shared<BN>::BOX, n0 + box * 64, m0);
        gpu::tma_store_commit();
        if (p.residual) {
            gpu::tma_store_wait_read();
            gpu::mbar_arrive(at.released + 8 * group);
        }
    }
    if (first) gpu::tma_store_wait_read();  // shared memory must outlive the last store
}

template <class T, int BN>
MIRROR_FN void conv2d(const Conv2dParams& p) {
    const Shared<BN> at;
    const Shape shape = Shape::of<BN>(p);
    const Maps maps(p.maps);
    if (threadIdx.x == 0) at.init_barriers();
    gpu::sync_block();
    if (threadIdx.x < 128) {
        gpu::registers_release<40>();
        if (threadIdx.x == 0) load_operands<BN>(p, shape, maps, at);
        if (threadIdx.x == 32 && p.residual) load_residuals<BN>(shape, maps, at);
    } else {
        gpu::registers_take<232>();
        consume<T, BN>(p, shape, maps, at);
    }
}

}  // namespace conv2d_wgmma

#endif
