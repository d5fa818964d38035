// Dense float activations to a kernel's type and pitch, and back.
//
//   pack    x [n, height, width, c] float -> InputLayout: every step-th pixel, channels c.. are zeros
//   unpack  x [rows, x_pitch] T -> y [rows, c] float
//
// Bound by memory: values are read and written once, neighbouring lanes touch neighbouring elements. pack writes four
// elements per thread (dense rows of c floats have no alignment, so it reads them one by one); unpack moves one each.
#pragma once
#include "image/layout.cuh"

namespace pack {

template <class T>
MIRROR_FN void pack(const PackParams& p) {
    i64 image = thread_index();
    const int c = split(image, p.out.channels / kPackGroup) * kPackGroup;
    const int x = split(image, p.out.width), y = split(image, p.out.height);
    if (image >= p.n) return;
    const i64 row = image * p.height + i64(y) * p.out.step;
    const float* in = p.x + (row * p.width + i64(x) * p.out.step) * p.c;
    float v[kPackGroup];
#pragma unroll
    for (int i = 0; i < kPackGroup; ++i) v[i] = c + i < p.c ? in[c + i] : 0.f;
    store_group<T>(pixel_address<T>(p.out, image, y, x) + c, v[0], v[1], v[2], v[3]);
}

template <class T>
MIRROR_FN void unpack(const UnpackParams& p) {
    const i64 at = thread_index();
    i64 row = at;
    const int c = split(row, p.c);
    if (row < p.rows) p.y[at] = load_one(static_cast<const T*>(p.x) + row * p.x_pitch + c);
}

}  // namespace pack
