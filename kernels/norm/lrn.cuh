// Local response normalisation over channels (mirror_lrn; TensorFlow's local_response_normalization):
//
//   y[c] = x[c] * (bias + alpha * sum of x[d]^2 over |d - c| <= radius)^-beta
//
// A thread owns one 16-byte vector of channels of a row. At GoogLeNet's radius of 2 it reads the two channels on either
// side as well and sums five squares per channel in registers, lowest channel first as on the CPU; any other radius
// takes a plain loop. Floor: x read and y written once; neighbours come from the first-level cache.
//
// v^-0.75 is 1 / (sqrt(v) * sqrt(sqrt(v))) in float, within 3e-7. Half precision results have 11 bits at most: there
// exp2(-beta * log2(v)) of the special function unit, within 4e-7, keeps the kernel bound by memory.
#pragma once
#include "common/index.cuh"
#include "common/params.h"
#include "common/vec.cuh"
#include "norm/launch.h"

namespace lrn {

template <class T>
MIRROR_FN float inverse_power(float v, float beta) {
    if (beta == 0.75f) {  // clamped as on the CPU: infinity counts as the largest float, NaN stays NaN
        constexpr float least = 1.17549435e-38f, most = 3.40282347e38f;
        v = v < least ? least : v;
        v = v > most ? most : v;
        if constexpr (sizeof(T) == 4) {
            const float root = gpu::sqrt(v);
            return gpu::div(1.f, root * gpu::sqrt(root));
        }
    }
    return gpu::exp2_approx(-beta * gpu::log2_approx(v));
}

constexpr int kRadius = 2;  // of the unrolled form

// norm[i] = sum of squares around channel c + i.
template <class T>
MIRROR_FN void norms_fixed(const T* row, int c, int channels, const Vec<T>& own, float (&norm)[Vec<T>::N]) {
    constexpr int V = Vec<T>::N;
    float squares[V + 2 * kRadius];
#pragma unroll
    for (int i = 0; i < V; ++i) squares[kRadius + i] = own.v[i] * own.v[i];
#pragma unroll
    for (int i = 0; i < kRadius; ++i) {
        const float before = c - kRadius + i >= 0 ? load_one(row + c - kRadius + i) : 0.f;
        const float after = c + V + i < channels ? load_one(row + c + V + i) : 0.f;
        squares[i] = before * before;
        squares[kRadius + V + i] = after * after;
    }
#pragma unroll
    for (int i = 0; i < V; ++i) {
        norm[i] = squares[i];
#pragma unroll
        for (int d = 1; d <= 2 * kRadius; ++d) norm[i] += squares[i + d];
    }
}

template <class T>
MIRROR_FN void norms_loop(const T* row, int c, int channels, int radius, float (&norm)[Vec<T>::N]) {
#pragma unroll
    for (int i = 0; i < Vec<T>::N; ++i) {
        const int first = c + i > radius ? c + i - radius : 0;
        const int last = radius < channels - 1 - (c + i) ? c + i + radius : channels - 1;
        norm[i] = 0;
        for (int d = first; d <= last; ++d) {
            const float value = load_one(row + d);
            norm[i] += value * value;
        }
    }
}

template <class T>
MIRROR_FN void lrn(const LrnParams& p) {
    constexpr int V = Vec<T>::N;
    i64 row = thread_index();
    const int c = split(row, p.c / V) * V;
    if (row >= p.rows) return;
    const T* x = static_cast<const T*>(p.x) + row * p.x_pitch;
    Vec<T> own;
    own.load(x + c);
    float norm[V];
    if (p.radius == kRadius)
        norms_fixed(x, c, p.c, own, norm);
    else
        norms_loop(x, c, p.c, p.radius, norm);
#pragma unroll
    for (int i = 0; i < V; ++i) own.v[i] *= inverse_power<T>(p.bias + p.alpha * norm[i], p.beta);
    own.store(static_cast<T*>(p.y) + row * p.y_pitch + c);
}

}  // namespace lrn
