// The instructions of kernels/common/ptx.cuh on the host: same names, same results as the
// hardware's, for every thread of a block (simt_core.hpp). Included by ptx.cuh wherever a kernel is
// compiled for the host.
#pragma once

#ifdef __F16C__
#include <immintrin.h>
#endif
#include <cmath>

#include "simt_core.hpp"

namespace simt {

// ---- fp16
// ---------------------------------------------------------------------------------------------
#ifdef __F16C__
inline float to_float(uint16_t h) {
    return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(h)));
}
inline uint16_t to_half(float v) {
    return uint16_t(_mm_cvtsi128_si32(_mm_cvtps_ph(_mm_set_ss(v), _MM_FROUND_TO_NEAREST_INT)));
}
inline void to_float8(float* out, const uint16_t* in) {
    _mm256_storeu_ps(out, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in))));
}
#else  // any processor, any compiler
inline float to_float(uint16_t h) {
    const uint32_t sign = uint32_t(h >> 15) << 31, mant = h & 0x3ff, exp = h >> 10 & 31;
    uint32_t b =
        exp == 31 ? sign | 0x7f800000u | mant << 13 : sign | (exp + 112) << 23 | mant << 13;
    float f;
    if (exp == 0) {
        f = float(mant) * 0x1p-24f;
        return sign ? -f : f;
    }
    memcpy(&f, &b, 4);
    return f;
}
inline uint16_t to_half(float v) {
    uint32_t b;
    memcpy(&b, &v, 4);
    const uint16_t sign = uint16_t(b >> 16 & 0x8000);
    b &= 0x7fffffff;
    if (b > 0x7f800000) return sign | 0x7e00;
    if (b >= 0x477ff000) return sign | 0x7c00;  // rounds to infinity
    if (b < 0x38800000) {                       // subnormal: let the float adder round
        float f;
        memcpy(&f, &b, 4);
        f += 0.5f;
        uint32_t r;
        memcpy(&r, &f, 4);
        return uint16_t(sign | (r - 0x3f000000));
    }
    b += 0xfff + (b >> 13 & 1);
    return uint16_t(sign | ((b - 0x38000000) >> 13));
}
inline void to_float8(float* out, const uint16_t* in) {
    for (int i = 0; i < 8; ++i) out[i] = to_float(in[i]);
}
#endif

inline float bf16_to_float(uint16_t h) {
    const uint32_t b = uint32_t(h) << 16;
    float f;
    memcpy(&f, &b, 4);
    return f;
}
inline uint16_t to_bf16(float v) {  // to nearest, ties to even
    uint32_t b;
    memcpy(&b, &v, 4);
    if (v != v) return 0x7fff;
    return uint16_t((b + 0x7fff + (b >> 16 & 1)) >> 16);
}

template <class T>
struct Format;
template <>
struct Format<f16> {
    static float widen(uint16_t h) { return to_float(h); }
    static uint16_t narrow(float v) { return to_half(v); }
    static void widen8(float* out, const uint16_t* in) { to_float8(out, in); }
};
template <>
struct Format<bf16> {
    static float widen(uint16_t h) { return bf16_to_float(h); }
    static uint16_t narrow(float v) { return to_bf16(v); }
    static void widen8(float* out, const uint16_t* in) {
        for (int i = 0; i < 8; ++i) out[i] = bf16_to_float(in[i]);
    }
};

}  // namespace simt

// ---- the vocabulary of ptx.cuh
// -----------------------------------------------------------------------------
namespace gpu {

using simt::Block;

inline unsigned char* dynamic_smem() {
    return Block::current->base;
}
inline u32 smem_addr(const void* p) {
    return u32(static_cast<const unsigned char*>(p) - Block::current->base);
}

inline void sync_block() {
    Block& b = *Block::current;
    b.meet(b.whole, int(blockDim.x), [] {});
}
inline void sync_named(int id, int threads) {
    Block& b = *Block::current;
    b.meet(b.named[id], threads, [] {});
}
inline void sync_warp() {
    Block& b = *Block::current;
    b.meet(b.warps[b.fiber->warp], 32, [] {});
}

template <class Pick>
inline u32 shuffle(u32 v, int parameter, Pick&& pick) {
    struct Args {
        u32 in, out;
        int parameter;
    } args{v, 0, parameter};
    Block::current->meet_warp(args, [&](Args** lane) {
        for (int i = 0; i < 32; ++i) lane[i]->out = lane[pick(i, lane[i]->parameter) & 31]->in;
    });
    return args.out;
}
inline u32 shfl_xor(u32 v, int lane_mask) {
    return shuffle(v, lane_mask, [](int i, int mask) { return i ^ mask; });
}
inline u32 shfl(u32 v, int source_lane) {
    return shuffle(v, source_lane, [](int, int source) { return source; });
}
inline u32 ballot(bool predicate) {
    struct Args {
        bool in;
        u32 out;
    } args{predicate, 0};
    Block::current->meet_warp(args, [](Args** lane) {
        u32 votes = 0;
        for (int i = 0; i < 32; ++i) votes |= u32(lane[i]->in) << i;
        for (int i = 0; i < 32; ++i) lane[i]->out = votes;
    });
    return args.out;
}
inline int opaque(int v) {
    return v;
}
inline int popcount(u32 v) {
    return __builtin_popcount(v);
}

template <class To, class From>
inline To reinterpret(From v) {
    static_assert(sizeof(To) == sizeof(From));
    To r;
    memcpy(&r, &v, sizeof r);
    return r;
}
inline u32 float_bits(float v) {
    return reinterpret<u32>(v);
}
inline float bits_float(u32 v) {
    return reinterpret<float>(v);
}
inline u64 double_bits(double v) {
    return reinterpret<u64>(v);
}
inline double bits_double(u64 v) {
    return reinterpret<double>(v);
}

template <class T>
inline u32 pack2(float x, float y) {
    return simt::Format<T>::narrow(x) | u32(simt::Format<T>::narrow(y)) << 16;
}
template <class T>
inline u32 pack2_relu(float x, float y) {
    return pack2<T>(x <= 0 ? 0.f : x, y <= 0 ? 0.f : y);
}
template <class T>
inline float2 unpack2(u32 v) {
    return {simt::Format<T>::widen(u16(v)), simt::Format<T>::widen(u16(v >> 16))};
}

inline float max_f32(float a, float b) {
    return a != a ? b : b != b ? a : a > b ? a : b;
}
inline float min_f32(float a, float b) {
    return a != a ? b : b != b ? a : a < b ? a : b;
}
inline float fma(float a, float b, float c) {
    return std::fma(a, b, c);
}
inline double fma(double a, double b, double c) {
    return std::fma(a, b, c);
}
inline float div(float a, float b) {
    return a / b;
}
inline double div(double a, double b) {
    return a / b;
}
inline float sqrt(float v) {
    return std::sqrt(v);
}
inline double sqrt(double v) {
    return std::sqrt(v);
}
// The hardware's approximations are off by some 2^-22; adding that much here keeps kernels from
// relying on more.
inline float exp2_approx(float v) {
    return std::exp2(v) * (1.f + 0x1p-22f);
}
inline float log2_approx(float v) {
    return std::log2(v) + 0x1p-22f;
}

// Other workers may run other blocks at the same time.
inline void store_global(u32* p, u32 v) {
    std::atomic_ref<u32>(*p).store(v, std::memory_order_relaxed);
}
template <class T>
inline void add_atomic(T* p, T v) {
    std::atomic_ref<T> cell(*p);
    for (T old = cell; !cell.compare_exchange_weak(old, old + v);) {
    }
}
inline void add_global(float* p, float v) {
    add_atomic(p, v);
}
inline void add_global(double* p, double v) {
    add_atomic(p, v);
}
inline void min_global(u64* p, u64 v) {
    std::atomic_ref<u64> cell(*p);
    for (u64 old = cell; v < old && !cell.compare_exchange_weak(old, v);) {
    }
}
inline u32 fetch_add_shared(u32* p, u32 v) {
    Block::current->at(smem_addr(p), 4);
    return std::exchange(*p, *p + v);
}
inline void add_shared(float* p, float v) {
    Block::current->at(smem_addr(p), 4);
    *p += v;
}

inline void cp_async_16(u32 dst, const void* src, bool valid) {
    Block& b = *Block::current;
    if (valid && (reinterpret_cast<uintptr_t>(src) | dst) % 16)
        b.fail("cp.async of 16 bytes at an odd address");
    const simt::Copy c{dst, valid ? src : nullptr, 16};
    if (b.options.timing == simt::Timing::early)
        b.land(c);
    else
        b.fiber->open.push_back(c);
}
inline void cp_async_commit() {
    auto& f = *Block::current->fiber;
    f.groups.push_back(std::move(f.open));
    f.open.clear();
}
template <int Pending>
inline void cp_async_wait() {
    Block& b = *Block::current;
    auto& g = b.fiber->groups;
    if (int(g.size()) <= Pending) return;
    const auto landed = g.end() - Pending;
    for (auto i = g.begin(); i != landed; ++i)
        for (const auto& c : *i) b.land(c);
    g.erase(g.begin(), landed);
}

inline void ldmatrix_x4(u32 (&r)[4], u32 row_addr) {
    struct Args {
        u32* r;
        u32 addr;
    } args{r, row_addr};
    Block::current->meet_warp(args, [](Args** lane) {
        for (int m = 0; m < 4; ++m)
            for (int row = 0; row < 8; ++row) {
                u32 words[4];
                memcpy(words, Block::current->at(lane[m * 8 + row]->addr, 16), 16);
                for (int i = 0; i < 4; ++i) lane[row * 4 + i]->r[m] = words[i];
            }
    });
}

typedef float v8f __attribute__((vector_size(32)));

// D[16x8] += A[16x16] * B[16x8] on plain arrays; a is [row][k], b is [col][k].
template <class T>
inline void mma_tile(float (&acc)[16][8], const uint16_t (&a)[16][16], const uint16_t (&b)[8][16]) {
    alignas(32) float fa[16][16], ft[8][16], fb[16][8];
    for (int i = 0; i < 16; ++i)
        simt::Format<T>::widen8(fa[i], a[i]), simt::Format<T>::widen8(fa[i] + 8, a[i] + 8);
    for (int i = 0; i < 8; ++i)
        simt::Format<T>::widen8(ft[i], b[i]), simt::Format<T>::widen8(ft[i] + 8, b[i] + 8);
    for (int k = 0; k < 16; ++k)
        for (int n = 0; n < 8; ++n) fb[k][n] = ft[n][k];
    for (int row = 0; row < 16; ++row) {
        v8f sum = *reinterpret_cast<v8f*>(acc[row]);
        for (int k = 0; k < 16; ++k) sum += fa[row][k] * *reinterpret_cast<v8f*>(fb[k]);
        *reinterpret_cast<v8f*>(acc[row]) = sum;
    }
}

template <class T>
inline void mma_m16n8k16(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1) {
    struct Args {
        float* d;
        const u32* a;
        u32 b[2];
    } args{d, a, {b0, b1}};
    Block::current->meet_warp(args, [](Args** lane) {
        alignas(32) uint16_t at[16][16], bt[8][16];
        alignas(32) float acc[16][8];
        for (int t = 0; t < 32; ++t) {
            const Args& l = *lane[t];
            const int row = t / 4, k = t % 4 * 2;
            memcpy(&at[row][k], &l.a[0], 4), memcpy(&at[row + 8][k], &l.a[1], 4);
            memcpy(&at[row][k + 8], &l.a[2], 4), memcpy(&at[row + 8][k + 8], &l.a[3], 4);
            memcpy(&bt[row][k], &l.b[0], 4), memcpy(&bt[row][k + 8], &l.b[1], 4);
            memcpy(&acc[row][k], &l.d[0], 8), memcpy(&acc[row + 8][k], &l.d[2], 8);
        }
        mma_tile<T>(acc, at, bt);
        for (int t = 0; t < 32; ++t) {
            const int row = t / 4, k = t % 4 * 2;
            memcpy(&lane[t]->d[0], &acc[row][k], 8), memcpy(&lane[t]->d[2], &acc[row + 8][k], 8);
        }
    });
}

}  // namespace gpu
