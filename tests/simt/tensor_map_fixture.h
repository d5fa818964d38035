// Tensor maps for the emulated Hopper kernels, encoded from what tensor_maps.cpp gives the driver.
#pragma once

#include "common/ptx_sm90.cuh"
#include "common/tensor_map.h"
#include "kernel_fixture.h"

namespace test {

inline TensorMap encode(const TiledMap& m) {
    CHECK(reinterpret_cast<uintptr_t>(m.base) % 16 == 0 && m.stride % 16 == 0);
    CHECK(m.box[0] == 64 && m.box[1] <= 256);
    return simt::encode_tiled(
        m.base, int64_t(m.dims[0]), int64_t(m.dims[1]), int64_t(m.stride), int(m.box[0]), int(m.box[1]));
}
inline TensorMap encode(const Im2colMap& m) {
    CHECK(reinterpret_cast<uintptr_t>(m.base) % 16 == 0);
    for (uint64_t stride : m.strides) CHECK(stride % 16 == 0);
    CHECK(m.channels == 64 && m.pixels <= 256);
    return simt::encode_im2col(m.base, m.dims, m.strides, m.lower, m.upper, int(m.channels), int(m.pixels), m.steps);
}

// The shared memory that the catalogue gives a kernel; -1 where it is not listed.
inline int catalogue_shared(const char* kernel) {
#define MIRROR_KERNEL(name, Params, threads, shared, architecture, tile) \
    if (std::strcmp(kernel, #name) == 0) return shared;
#include "catalogue.h"
#undef MIRROR_KERNEL
    return -1;
}

}  // namespace test
