// See elementwise.h.
#include "backend/cpu/elementwise.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "backend/cpu/simd.h"

namespace mirror {
namespace {

constexpr int64_t convert_block = 16384;

// v^-0.75 within 1e-6 for positive v; infinity counts as the largest float, NaN stays NaN. Newton's
// iteration on v^-0.25 from an estimate that divides the exponent by -4; unlike sqrt it needs no
// errno, so loops around it vectorise.
inline float inverse_three_quarters(float v) {
    constexpr float least = std::numeric_limits<float>::min();
    constexpr float most = std::numeric_limits<float>::max();
    v = v < least ? least : v;
    v = v > most ? most : v;
    float y = std::bit_cast<float>(0x4F58CAE4u - (std::bit_cast<uint32_t>(v) >> 2));
    for (int i = 0; i < 3; ++i) {
        const float square = y * y;
        y *= 1.25f - 0.25f * (v * square * square);
    }
    return y * y * y;
}

// squares: [channels + 2 radius], zero outside the middle; norm: [channels]. Both in the
// first-level cache.
template <class T>
MIRROR_SIMD void lrn_row(
    const T* x, int channels, const Lrn& lrn, float* squares, float* norm, T* y) {
    const Lrn l = lrn;  // a copy: stores through floats could change the original
    for (int c = 0; c < channels; ++c) {
        const float value = to_float(x[c]);
        squares[c + l.radius] = value * value;
    }
    std::fill_n(norm, channels, 0.0f);
    for (int d = 0; d <= 2 * l.radius; ++d)
        for (int c = 0; c < channels; ++c) norm[c] += squares[c + d];
    if (l.beta == 0.75f) {
        for (int c = 0; c < channels; ++c)
            y[c] =
                from_float<T>(to_float(x[c]) * inverse_three_quarters(l.bias + l.alpha * norm[c]));
    } else {
        for (int c = 0; c < channels; ++c)
            y[c] = from_float<T>(to_float(x[c]) * std::pow(l.bias + l.alpha * norm[c], -l.beta));
    }
}

MIRROR_SIMD void convert_block_to_float(const bfloat16* from, int64_t count, float* to) {
    for (int64_t i = 0; i < count; ++i) to[i] = to_float(from[i]);
}

template <class T>
MIRROR_SIMD void convert_block_from_float(const float* from, int64_t count, T* to) {
    for (int64_t i = 0; i < count; ++i) to[i] = from_float<T>(from[i]);
}

}  // namespace

template <class T>
void lrn_rows(const T* x, int64_t rows, int channels, const Lrn& lrn, T* y) {
#pragma omp parallel
    {
        std::vector<float> squares(static_cast<size_t>(channels) +
                                   2 * static_cast<size_t>(lrn.radius));
        std::vector<float> norm(static_cast<size_t>(channels));
#pragma omp for schedule(static)
        for (int64_t row = 0; row < rows; ++row)
            lrn_row(
                x + row * channels, channels, lrn, squares.data(), norm.data(), y + row * channels);
    }
}

void convert(const bfloat16* from, int64_t count, float* to) {
#pragma omp parallel for schedule(static)
    for (int64_t start = 0; start < count; start += convert_block)
        convert_block_to_float(from + start, std::min(convert_block, count - start), to + start);
}

template <class T>
void subsample(const float* from, int n, int h, int w, int step, T* to) {
    const int out_h = (h + step - 1) / step, out_w = (w + step - 1) / step;
#pragma omp parallel for collapse(2) schedule(static)
    for (int i = 0; i < n; ++i)
        for (int y = 0; y < out_h; ++y) {
            const float* source =
                from + (static_cast<int64_t>(i) * h + static_cast<int64_t>(y) * step) * w * 3;
            T* target = to + (static_cast<int64_t>(i) * out_h + y) * out_w * 3;
            if (step == 1) {
                convert_block_from_float(source, static_cast<int64_t>(w) * 3, target);
                continue;
            }
            for (int x = 0; x < out_w; ++x)
                for (int c = 0; c < 3; ++c)
                    target[x * 3 + c] = from_float<T>(source[x * step * 3 + c]);
        }
}

template <class T>
void copy_slice(const T* from, int64_t rows, int channels, T* to, int64_t stride) {
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < rows; ++row)
        std::memcpy(
            to + row * stride, from + row * channels, static_cast<size_t>(channels) * sizeof(T));
}

template void lrn_rows(const float*, int64_t, int, const Lrn&, float*);
template void lrn_rows(const bfloat16*, int64_t, int, const Lrn&, bfloat16*);
template void subsample(const float*, int, int, int, int, float*);
template void subsample(const float*, int, int, int, int, bfloat16*);
template void copy_slice(const float*, int64_t, int, float*, int64_t);
template void copy_slice(const bfloat16*, int64_t, int, bfloat16*, int64_t);

}  // namespace mirror
