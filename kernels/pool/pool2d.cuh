// Pooling windows over NHWC activations.
//
//   maximum   y[oy, ox] = max of x[oy * stride_h - pad_top + i, ox * stride_w - pad_left + j] inside the image
//   average   y[oy, ox] = (sum of the same) / (r * s), whatever part of the window lies outside
//
// A thread owns one 16-byte vector of channels of kPoolStrip outputs side by side. It walks the columns under them
// once: four cells of a column, loaded together, are joined, then join every output whose window covers it. For 3 x 3
// at stride 1 that is 18 loads instead of 36, for 7 x 7 it is 70 instead of 196. In place of cells below the window
// there is the identity, 0 or -infinity.
//
//        strip of 4 outputs, 3 x 3, stride 1          lanes of a warp: neighbouring channel vectors,
//     x  | . . . . . . |   6 columns of 3 cells       so loads and stores are whole 128-byte lines
//         [0    ]
//           [1    ]
//             [2    ]
//               [3    ]
//
// Floor: x read and y written once; rows under several windows come from the caches. NaN never wins a maximum, as on
// the CPU.
#pragma once
#include "common/index.cuh"
#include "common/params.h"
#include "common/vec.cuh"
#include "pool/launch.h"

namespace pool {

constexpr int kRows = 4;  // of a column, on their way together

template <bool Average>
MIRROR_FN float join(float a, float b) {
    return Average ? a + b : gpu::max_f32(a, b);
}

template <class T, bool Average>
MIRROR_FN void windows(const Pool2dParams& p) {
    constexpr int V = Vec<T>::N;
    const float identity = Average ? 0.f : -__builtin_inff();
    i64 rest = thread_index();
    const int c = split(rest, p.c / V) * V;
    const int first = split(rest, (p.q + kPoolStrip - 1) / kPoolStrip) * kPoolStrip;
    const int oy = split(rest, p.p);
    if (rest >= p.n) return;
    const int outputs = first + kPoolStrip <= p.q ? kPoolStrip : p.q - first;
    const int top = oy * p.stride_h - p.pad_top, left = first * p.stride_w - p.pad_left;
    const int row = top > 0 ? top : 0, rows = (top + p.r < p.h ? top + p.r : p.h) - row;
    const int last = left + (outputs - 1) * p.stride_w + p.s;
    const int column_end = (last < p.w ? last : p.w) - left;  // columns count from the strip's first, here and in `x`
    int x = left > 0 ? 0 : -left;
    const T* top_cell = static_cast<const T*>(p.x) + ((rest * p.h + row) * p.w + left + x) * p.x_pitch + c;
    T* y = static_cast<T*>(p.y) + ((rest * p.p + oy) * p.q + first) * p.y_pitch + c;
    const int row_pitch = p.w * p.x_pitch;

    float total[kPoolStrip][V];
#pragma unroll
    for (int j = 0; j < kPoolStrip; ++j)
#pragma unroll
        for (int i = 0; i < V; ++i) total[j][i] = identity;
#pragma unroll 1
    for (; x < column_end; ++x, top_cell += p.x_pitch) {
        u32 covered = 0;  // bit j: output j's window covers this column
#pragma unroll
        for (int j = 0; j < kPoolStrip; ++j) covered |= u32(u32(x - j * p.stride_w) < u32(p.s)) << j;
        if (!covered) continue;  // a stride above the window's width
        const T* cell = top_cell;
#pragma unroll 1
        for (int below = rows; below > 0; below -= kRows, cell += i64(kRows) * row_pitch) {
            typename Vec<T>::Raw raw[kRows];
#pragma unroll
            for (int k = 0; k < kRows; ++k) {
                raw[k] = Vec<T>::fill(identity);
                if (k < below) raw[k] = *reinterpret_cast<const typename Vec<T>::Raw*>(cell + i64(k) * row_pitch);
            }
            Vec<T> column, next;
            column.unpack(raw[0]);
#pragma unroll
            for (int k = 1; k < kRows; ++k) {
                next.unpack(raw[k]);
#pragma unroll
                for (int i = 0; i < V; ++i) column.v[i] = join<Average>(column.v[i], next.v[i]);
            }
#pragma unroll
            for (int j = 0; j < kPoolStrip; ++j)
                if (covered >> j & 1)
#pragma unroll
                    for (int i = 0; i < V; ++i) total[j][i] = join<Average>(total[j][i], column.v[i]);
        }
    }

    const float share = gpu::div(1.f, float(p.r) * float(p.s));
#pragma unroll
    for (int j = 0; j < kPoolStrip; ++j) {
        if (j >= outputs) return;
        Vec<T> result;
#pragma unroll
        for (int i = 0; i < V; ++i) result.v[i] = Average ? total[j][i] * share : total[j][i];
        result.store(y + i64(j) * p.y_pitch);
    }
}

template <class T>
MIRROR_FN void pool2d(const Pool2dParams& p) {
    if (p.average)
        windows<T, true>(p);
    else
        windows<T, false>(p);
}

}  // namespace pool
