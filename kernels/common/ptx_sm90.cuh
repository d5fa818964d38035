// The Hopper part of the device vocabulary (sm_90a): mbarriers, TMA, wgmma, register budgets. Same rules as
// ptx.cuh; on the host, tests/simt/simt_sm90.hpp runs these functions.
//
// Kernels of this architecture stand inside
//     #if defined(MIRROR_SM90) || !defined(MIRROR_DEVICE_CODE)
// so that compiling the same sources for sm_80 skips them and the emulator takes them.
//
// Three proxies reach memory: threads (generic), TMA and wgmma (async), and TMA reading its descriptors (tensormap).
// What one wrote the other sees only behind the fence named here, or an mbarrier that counted its bytes.
#pragma once
#include "common/ptx.cuh"

// nvcc and clang both define the first for sm_90a, which is the only 9.0 target there is.
#if !defined(MIRROR_SM90) && defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define MIRROR_SM90 1
#endif

// CUtensorMap in device memory, written by the host (native/src/backend/cuda/tensor_maps.h) before the launch. Every
// box is 64 elements of 16 bits wide: rows of 128 bytes, which TMA swizzles: 16-byte chunk i of row r is at i ^ r % 8.
struct alignas(64) TensorMap {
    unsigned char opaque[128];
};

#ifndef MIRROR_DEVICE_CODE
#include "simt_sm90.hpp"
#elif defined(MIRROR_SM90)

namespace gpu {

// ---- mbarrier: a phase completes with `count` arrivals and the announced bytes -----------------------
MIRROR_FN void mbar_init(u32 bar, int count) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(bar), "r"(count) : "memory");
}
// After the last mbar_init, before the barrier of the block: other threads and TMA see the barriers.
MIRROR_FN void mbar_fence_init() {
    asm volatile("fence.mbarrier_init.release.cluster; fence.proxy.async.shared::cta;" ::: "memory");
}
MIRROR_FN void mbar_arrive(u32 bar) {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(bar) : "memory");
}
MIRROR_FN void mbar_arrive_expect(u32 bar, int bytes) {  // announces the bytes of TMA loads
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(bar), "r"(bytes) : "memory");
}
// Until the phase of this parity is complete; that of parity 1 before the first one counts as complete.
MIRROR_FN void mbar_wait(u32 bar, int parity) {
    asm volatile(
        "{ .reg .pred p;\n"
        "again: mbarrier.try_wait.parity.shared::cta.b64 p, [%0], %1;\n"
        "@p bra done;\n"
        "bra again;\n"
        "done: }" ::"r"(bar),
        "r"(parity)
        : "memory");
}

// ---- TMA: one thread moves a box between global and shared memory ------------------------------------
// Before a thread's first use of a map: the host wrote it by a copy, and the tensormap proxy may still hold what lay at
// that address before. PTX 8.3.
MIRROR_FN void tma_acquire(const TensorMap* map) {
    asm volatile("fence.proxy.tensormap::generic.acquire.sys [%0], 128;" ::"l"(map) : "memory");
    asm volatile("prefetch.tensormap [%0];" ::"l"(map) : "memory");
}
MIRROR_FN void tma_load_2d(u32 dst, const TensorMap* map, u32 bar, int c0, int c1) {
    asm volatile(
        "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes"
        " [%0], [%1, {%2, %3}], [%4];" ::"r"(dst),
        "l"(map),
        "r"(c0),
        "r"(c1),
        "r"(bar)
        : "memory");
}
// Pixels in row-major order from (w, h, n) of the map's bounding box, each shifted by the filter tap (s, r).
MIRROR_FN void tma_load_im2col(u32 dst, const TensorMap* map, u32 bar, int c, int w, int h, int n, int s, int r) {
    asm volatile(
        "cp.async.bulk.tensor.4d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes"
        " [%0], [%1, {%2, %3, %4, %5}], [%6], {%7, %8};" ::"r"(dst),
        "l"(map),
        "r"(c),
        "r"(w),
        "r"(h),
        "r"(n),
        "r"(bar),
        "h"(u16(s)),
        "h"(u16(r))
        : "memory");
}
MIRROR_FN void tma_store_2d(const TensorMap* map, u32 src, int c0, int c1) {
    asm volatile("cp.async.bulk.tensor.2d.global.shared::cta.tile.bulk_group [%0, {%2, %3}], [%1];" ::"l"(map),
                 "r"(src),
                 "r"(c0),
                 "r"(c1)
                 : "memory");
}
MIRROR_FN void tma_store_commit() {
    asm volatile("cp.async.bulk.commit_group;" ::: "memory");
}
// Until this thread's committed stores have read shared memory; also before the block may end.
MIRROR_FN void tma_store_wait_read() {
    asm volatile("cp.async.bulk.wait_group.read 0;" ::: "memory");
}
// By every thread between its writes to shared memory and somebody's tma_store or wgmma of them.
MIRROR_FN void fence_async_proxy() {
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

// ---- wgmma: the 128 threads of a warpgroup -------------------------------------------------------------
// K-major operand: rows of 64 elements (128 bytes, swizzled as TMA left them), groups of 8 rows 1024 bytes apart. The
// address of row 0 is a multiple of 1024, plus 32 bytes per 16 elements along K.
MIRROR_FN u64 wgmma_operand(u32 addr) {
    return u64((addr & 0x3ffff) >> 4) | u64(1) << 16 | u64(1024 >> 4) << 32 | u64(1) << 62;
}
MIRROR_FN void wgmma_fence() {  // before the first product that uses accumulators somebody wrote
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
MIRROR_FN void wgmma_commit() {
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
template <int Pending>
MIRROR_FN void wgmma_wait() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(Pending) : "memory");
}
// Keeps the compiler from moving accumulators while products are in flight: without it ptxas serialises them (C7515).
template <int R>
MIRROR_FN void wgmma_hold(float (&d)[R]) {
#pragma unroll
    for (int i = 0; i < R; ++i) asm volatile("" : "+f"(d[i])::"memory");
}
// D[64 x N] += A[64 x 16] * B[N x 16]^T. Thread t holds rows t / 32 * 16 + t % 32 / 4 (+ 8) and columns t % 4 * 2 (+ 1)
// of every 8: d[j * 4 + half * 2 + e] is column j * 8 + t % 4 * 2 + e of its row + half * 8.
// Specialised in wgmma.inc, which gen_wgmma.py wrote; both are in the repository.
template <class T, int N>
struct Wgmma;
#include "common/wgmma.inc"

// Four 8 x 8 matrices of 16-bit elements to shared memory; lane i gives the address of row i % 8 of matrix i / 8.
MIRROR_FN void stmatrix_x4(u32 row_addr, const u32 (&r)[4]) {
    asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1,%2,%3,%4};" ::"r"(row_addr),
                 "r"(r[0]),
                 "r"(r[1]),
                 "r"(r[2]),
                 "r"(r[3])
                 : "memory");
}

// ---- registers per thread, moved between the warpgroups of a block ---------------------------------------
template <int R>
MIRROR_FN void registers_release() {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(R));
}
template <int R>
MIRROR_FN void registers_take() {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(R));
}

}  // namespace gpu
#endif
