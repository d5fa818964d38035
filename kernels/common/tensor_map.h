// What the tensor maps of the Hopper kernels describe, in the terms of cuTensorMapEncodeTiled and
// cuTensorMapEncodeIm2col: elements of 16 bits, boxes swizzled by 128 bytes, zeros outside. Filled beside each kernel's
// launch, encoded by native/src/backend/cuda/tensor_maps.cpp and by the emulator's tests.
#pragma once

#include <cstdint>

struct TiledMap {  // dims[0] elements are contiguous
    const void* base;
    uint64_t dims[2];
    uint64_t stride;  // bytes from one index of dims[1] to the next
    uint32_t box[2];
};

struct Im2colMap {  // c, w, h, n
    const void* base;
    uint64_t dims[4];
    uint64_t strides[3];  // bytes from pixel to pixel, row to row, image to image
    int lower[2], upper[2];  // corners of the box of filter positions (w, h), from the first and the last pixel
    uint32_t channels, pixels;  // of a load
    uint32_t steps[4];          // from position to position
};
