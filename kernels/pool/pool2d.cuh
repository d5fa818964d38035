// Pooling windows over NHWC activations.
//
//   maximum   y[oy, ox] = max of x[oy * stride_h - pad_top + i, ox * stride_w - pad_left + j] inside the image
//   average   y[oy, ox] = (sum of the same) / (r * s), whatever part of the window lies outside
//
// A thread owns one 16-byte vector of channels of kPoolStrip outputs side by side. It walks the columns under them
// once: a column of r cells is reduced, then joins every output whose window covers it. For 3 x 3 at stride 1 that is
// 18 loads instead of 36, for 7 x 7 it is 70 instead of 196.
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
    const int row_begin = top > 0 ? top : 0, row_end = top + p.r < p.h ? top + p.r : p.h;
    const int last = left + (outputs - 1) * p.stride_w + p.s;
    const int column_begin = left > 0 ? left : 0, column_end = last < p.w ? last : p.w;
    const T* image = static_cast<const T*>(p.x) + rest * p.h * p.w * p.x_pitch + c;

    float total[kPoolStrip][V];
#pragma unroll
    for (int j = 0; j < kPoolStrip; ++j)
#pragma unroll
        for (int i = 0; i < V; ++i) total[j][i] = identity;
    for (int x = column_begin; x < column_end; ++x) {
        u32 covered = 0;  // bit j: output j's window covers this column
#pragma unroll
        for (int j = 0; j < kPoolStrip; ++j) covered |= u32(u32(x - left - j * p.stride_w) < u32(p.s)) << j;
        if (!covered) continue;  // a stride above the window's width
        float column[V];
#pragma unroll
        for (int i = 0; i < V; ++i) column[i] = identity;
        for (int y = row_begin; y < row_end; ++y) {
            Vec<T> cell;
            cell.load(image + (i64(y) * p.w + x) * p.x_pitch);
#pragma unroll
            for (int i = 0; i < V; ++i) column[i] = join<Average>(column[i], cell.v[i]);
        }
#pragma unroll
        for (int j = 0; j < kPoolStrip; ++j)
            if (covered >> j & 1)
#pragma unroll
                for (int i = 0; i < V; ++i) total[j][i] = join<Average>(total[j][i], column[i]);
    }

    const float share = gpu::div(1.f, float(p.r) * float(p.s));
    T* y = static_cast<T*>(p.y) + ((rest * p.p + oy) * p.q + first) * p.y_pitch + c;
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
