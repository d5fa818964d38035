// The device vocabulary of Mirror: every PTX instruction that a kernel uses has one named function here
// (Hopper's in ptx_sm90.cuh). Kernels include headers of kernels/ and nothing else, so one source compiles
// three ways:
//
//   nvcc -arch=sm_XX                      inline PTX
//   clang -x cuda --cuda-device-only      inline PTX, no CUDA SDK needed
//   g++ / clang (host)                    tests/simt/simt.hpp runs the same functions on fibers
//
// Contraction is off in all three (--fmad=false, -ffp-contract=off): a * b + c rounds twice, gpu::fma once.
// Shared memory is dynamic only (gpu::dynamic_smem): the emulator then sees every byte of it.
// Fragment layouts are those of the PTX ISA manual ("Matrix fragments for mma.m16n8k16").
#pragma once

#if defined(__CUDACC__) || (defined(__clang__) && defined(__CUDA__))
#define MIRROR_DEVICE_CODE 1
#endif

#if defined(__clang__) && defined(__CUDA__) && !defined(__NVCC__)  // clang without the SDK headers
#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __host__ __attribute__((host))
#define __shared__ __attribute__((shared))
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))
#define __forceinline__ __inline__ __attribute__((always_inline))
#include <__clang_cuda_builtin_vars.h>
struct float2 {
    float x, y;
};
struct alignas(16) float4 {
    float x, y, z, w;
};
struct alignas(16) uint4 {
    unsigned x, y, z, w;
};
#endif

using u8 = unsigned char;
using u16 = unsigned short;
using u32 = unsigned int;
using u64 = unsigned long long;
using i64 = long long;

struct f16 {  // storage only; arithmetic is done in float
    u16 bits;
};
struct bf16 {
    u16 bits;
};

#ifndef MIRROR_DEVICE_CODE
#include "simt.hpp"
#else

#define MIRROR_FN __device__ __forceinline__

namespace gpu {

// ---- shared memory -----------------------------------------------------------------------------
extern __shared__ __attribute__((aligned(1024))) u8 mirror_smem[];

MIRROR_FN u8* dynamic_smem() {
    return mirror_smem;
}
MIRROR_FN u32 smem_addr(const void* p) {
    u32 a;
    asm("{ .reg .u64 t; cvta.to.shared.u64 t, %1; cvt.u32.u64 %0, t; }" : "=r"(a) : "l"(p));
    return a;
}

// ---- barriers, shuffles, votes; all 32 lanes take part -------------------------------------------
MIRROR_FN void sync_block() {
    asm volatile("bar.sync 0;" ::: "memory");
}
MIRROR_FN void sync_named(int id, int threads) {
    asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}
MIRROR_FN void sync_warp() {
    asm volatile("bar.warp.sync 0xffffffff;" ::: "memory");
}
MIRROR_FN u32 shfl_xor(u32 v, int lane_mask) {
    asm volatile("shfl.sync.bfly.b32 %0, %0, %1, 0x1f, 0xffffffff;" : "+r"(v) : "r"(lane_mask));
    return v;
}
MIRROR_FN u32 shfl(u32 v, int source_lane) {
    asm volatile("shfl.sync.idx.b32 %0, %0, %1, 0x1f, 0xffffffff;" : "+r"(v) : "r"(source_lane));
    return v;
}
MIRROR_FN u32 ballot(bool predicate) {  // bit i: lane i's predicate
    u32 r;
    asm volatile("{ .reg .pred p; setp.ne.u32 p, %1, 0; vote.sync.ballot.b32 %0, p, 0xffffffff; }"
                 : "=r"(r)
                 : "r"(u32(predicate)));
    return r;
}
// The same value, but the compiler cannot tell: what derives from it is computed here and not kept in registers
// across the loop around.
MIRROR_FN int opaque(int v) {
    asm volatile("" : "+r"(v));
    return v;
}
MIRROR_FN int popcount(u32 v) {
    int r;
    asm("popc.b32 %0, %1;" : "=r"(r) : "r"(v));
    return r;
}

// ---- bits of numbers -----------------------------------------------------------------------------
MIRROR_FN u32 float_bits(float v) {
    u32 r;
    asm("mov.b32 %0, %1;" : "=r"(r) : "f"(v));
    return r;
}
MIRROR_FN float bits_float(u32 v) {
    float r;
    asm("mov.b32 %0, %1;" : "=f"(r) : "r"(v));
    return r;
}
MIRROR_FN u64 double_bits(double v) {
    u64 r;
    asm("mov.b64 %0, %1;" : "=l"(r) : "d"(v));
    return r;
}
MIRROR_FN double bits_double(u64 v) {
    double r;
    asm("mov.b64 %0, %1;" : "=d"(r) : "l"(v));
    return r;
}

// ---- half precision pairs; x is the lower 16 bits ------------------------------------------------
template <class T>
MIRROR_FN u32 pack2(float x, float y);
template <>
MIRROR_FN u32 pack2<f16>(float x, float y) {
    u32 r;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(y), "f"(x));
    return r;
}
template <>
MIRROR_FN u32 pack2<bf16>(float x, float y) {
    u32 r;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(y), "f"(x));
    return r;
}
// Negative numbers become 0; NaN stays, unlike in max_f32(x, 0).
template <class T>
MIRROR_FN u32 pack2_relu(float x, float y);
template <>
MIRROR_FN u32 pack2_relu<f16>(float x, float y) {
    u32 r;
    asm("cvt.rn.relu.f16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(y), "f"(x));
    return r;
}
template <>
MIRROR_FN u32 pack2_relu<bf16>(float x, float y) {
    u32 r;
    asm("cvt.rn.relu.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(y), "f"(x));
    return r;
}
template <class T>
MIRROR_FN float2 unpack2(u32 v);
template <>
MIRROR_FN float2 unpack2<f16>(u32 v) {
    float2 f;
    asm("{ .reg .b16 l, h; mov.b32 {l, h}, %2; cvt.f32.f16 %0, l; cvt.f32.f16 %1, h; }"
        : "=f"(f.x), "=f"(f.y)
        : "r"(v));
    return f;
}
template <>
MIRROR_FN float2 unpack2<bf16>(u32 v) {
    return {bits_float(v << 16), bits_float(v & 0xffff0000u)};
}

// ---- float arithmetic ----------------------------------------------------------------------------
MIRROR_FN float max_f32(float a, float b) {
    float r;
    asm("max.f32 %0, %1, %2;" : "=f"(r) : "f"(a), "f"(b));
    return r;
}
MIRROR_FN float min_f32(float a, float b) {
    float r;
    asm("min.f32 %0, %1, %2;" : "=f"(r) : "f"(a), "f"(b));
    return r;
}
MIRROR_FN float fma(float a, float b, float c) {
    float r;
    asm("fma.rn.f32 %0, %1, %2, %3;" : "=f"(r) : "f"(a), "f"(b), "f"(c));
    return r;
}
MIRROR_FN double fma(double a, double b, double c) {
    double r;
    asm("fma.rn.f64 %0, %1, %2, %3;" : "=d"(r) : "d"(a), "d"(b), "d"(c));
    return r;
}
MIRROR_FN float div(float a, float b) {
    float r;
    asm("div.rn.f32 %0, %1, %2;" : "=f"(r) : "f"(a), "f"(b));
    return r;
}
MIRROR_FN double div(double a, double b) {
    double r;
    asm("div.rn.f64 %0, %1, %2;" : "=d"(r) : "d"(a), "d"(b));
    return r;
}
MIRROR_FN float sqrt(float v) {
    float r;
    asm("sqrt.rn.f32 %0, %1;" : "=f"(r) : "f"(v));
    return r;
}
MIRROR_FN double sqrt(double v) {
    double r;
    asm("sqrt.rn.f64 %0, %1;" : "=d"(r) : "d"(v));
    return r;
}
MIRROR_FN float exp2_approx(float v) {  // relative error 2^-22
    float r;
    asm("ex2.approx.f32 %0, %1;" : "=f"(r) : "f"(v));
    return r;
}
MIRROR_FN float log2_approx(float v) {  // absolute error 2^-22
    float r;
    asm("lg2.approx.f32 %0, %1;" : "=f"(r) : "f"(v));
    return r;
}

// ---- atomics: `global` on device memory, `shared` on dynamic shared memory ------------------------
MIRROR_FN void store_global(u32* p, u32 v) {  // several threads may, all the same value
    asm volatile("st.relaxed.gpu.global.u32 [%0], %1;" ::"l"(p), "r"(v) : "memory");
}
MIRROR_FN void add_global(float* p, float v) {
    asm volatile("red.global.add.f32 [%0], %1;" ::"l"(p), "f"(v) : "memory");
}
MIRROR_FN void add_global(double* p, double v) {
    asm volatile("red.global.add.f64 [%0], %1;" ::"l"(p), "d"(v) : "memory");
}
MIRROR_FN void min_global(u64* p, u64 v) {
    asm volatile("red.global.min.u64 [%0], %1;" ::"l"(p), "l"(v) : "memory");
}
MIRROR_FN u32 fetch_add_shared(u32* p, u32 v) {
    u32 old;
    asm volatile("atom.shared.add.u32 %0, [%1], %2;"
                 : "=r"(old)
                 : "r"(smem_addr(p)), "r"(v)
                 : "memory");
    return old;
}
MIRROR_FN void add_shared(float* p, float v) {
    asm volatile("red.shared.add.f32 [%0], %1;" ::"r"(smem_addr(p)), "f"(v) : "memory");
}

// ---- cp.async (sm_80): 16 bytes global -> shared; invalid lanes write zeros and read nothing ---------
MIRROR_FN void cp_async_16(u32 dst, const void* src, bool valid) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(dst),
                 "l"(src),
                 "r"(valid ? 16 : 0)
                 : "memory");
}
MIRROR_FN void cp_async_commit() {
    asm volatile("cp.async.commit_group;" ::: "memory");
}
template <int Pending>
MIRROR_FN void cp_async_wait() {
    asm volatile("cp.async.wait_group %0;" ::"n"(Pending) : "memory");
}

// ---- tensor cores, warp wide (sm_80) -----------------------------------------------------------------
MIRROR_FN void ldmatrix_x4(u32 (&r)[4], u32 row_addr) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(row_addr)
                 : "memory");
}
// D[16x8] += A[16x16] * B[16x8], T in, float accumulation
template <class T>
MIRROR_FN void mma_m16n8k16(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1);
#define MIRROR_MMA(T, NAME)                                                                       \
    template <>                                                                                   \
    MIRROR_FN void mma_m16n8k16<T>(float(&d)[4], const u32(&a)[4], u32 b0, u32 b1) {              \
        asm volatile("mma.sync.aligned.m16n8k16.row.col.f32." NAME "." NAME                       \
                     ".f32 {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"                    \
                     : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])                             \
                     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));             \
    }
MIRROR_MMA(f16, "f16")
MIRROR_MMA(bf16, "bf16")
#undef MIRROR_MMA

}  // namespace gpu
#endif

namespace gpu {

MIRROR_FN float shfl_xor(float v, int lane_mask) {
    return bits_float(shfl_xor(float_bits(v), lane_mask));
}
MIRROR_FN double shfl_xor(double v, int lane_mask) {
    const u64 bits = double_bits(v);
    const u64 low = shfl_xor(u32(bits), lane_mask), high = shfl_xor(u32(bits >> 32), lane_mask);
    return bits_double(high << 32 | low);
}

}  // namespace gpu
