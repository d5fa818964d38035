// Writing into an InputLayout: groups of four elements, 16 bytes of float or 8 of half precision.
#pragma once
#include "common/index.cuh"
#include "common/params.h"
#include "common/vec.cuh"
#include "image/launch.h"

template <class T>
MIRROR_FN T* pixel_address(const InputLayout& out, i64 image, int y, int x) {
    return static_cast<T*>(out.y) + image * out.image_stride +
           (i64(out.top + y) * out.row + out.left + x) * out.channels;
}

template <class T>
MIRROR_FN void store_group(T* p, float a, float b, float c, float d) {
    *reinterpret_cast<float2*>(p) = {gpu::bits_float(gpu::pack2<T>(a, b)), gpu::bits_float(gpu::pack2<T>(c, d))};
}
template <>
MIRROR_FN void store_group<float>(float* p, float a, float b, float c, float d) {
    *reinterpret_cast<float4*>(p) = {a, b, c, d};
}
