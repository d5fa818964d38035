// The loops that oneDNN does not do, or does slowly on NHWC: LRN, type conversion, copies into the
// channel slices of a concat. All run on the calling thread's OpenMP team; T is float or bfloat16.
#pragma once

#include <cstdint>

#include "base/half.h"
#include "model/graph.h"

namespace mirror {

// y_c = x_c / (bias + alpha * sum_{|d - c| <= radius} x_d^2)^beta over x [rows, channels]; y may
// not be x.
template <class T>
void lrn_rows(const T* x, int64_t rows, int channels, const Lrn& lrn, T* y);

void convert(const bfloat16* from, int64_t count, float* to);

// from [n, h, w, 3] -> to [n, ceil(h / step), ceil(w / step), 3]: every step-th pixel of every
// step-th row.
template <class T>
void subsample(const float* from, int n, int h, int w, int step, T* to);

// from [rows, channels] dense -> to [rows, channels] with `stride` elements from row to row.
template <class T>
void copy_slice(const T* from, int64_t rows, int channels, T* to, int64_t stride);

}  // namespace mirror
