// The emulated driver's tensor maps: the two kinds that ptx_sm90.cuh's kernels use, 16-bit elements
// and 128-byte swizzle, with the limits that the driver API states.
#include <cstring>

#include "backend/cuda/cuda_api.h"
#include "common/ptx_sm90.cuh"

using namespace mirror::cuda;

namespace {

bool encodable(const CUtensorMap* map,
               int type,
               const void* base,
               const uint64_t* dims,
               const uint64_t* strides,
               uint32_t rank,
               int swizzle) {
    bool good = reinterpret_cast<uintptr_t>(map) % 64 == 0 &&
                reinterpret_cast<uintptr_t>(base) % 16 == 0 && swizzle == TENSOR_MAP_SWIZZLE_128B &&
                (type == TENSOR_MAP_FLOAT16 || type == TENSOR_MAP_BFLOAT16);
    for (uint32_t i = 0; i < rank; ++i) good = good && dims[i] >= 1 && dims[i] <= uint64_t{1} << 32;
    for (uint32_t i = 0; i + 1 < rank; ++i)
        good = good && strides[i] % 16 == 0 && strides[i] < uint64_t{1} << 40;
    return good;
}
bool within(int value, int low, int high) {
    return low <= value && value <= high;
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

CUresult cuTensorMapEncodeTiled(CUtensorMap* map,
                                int type,
                                uint32_t rank,
                                void* base,
                                const uint64_t* dims,
                                const uint64_t* strides,
                                const uint32_t* box,
                                const uint32_t* steps,
                                int interleave,
                                int swizzle,
                                int,
                                int) {
    if (rank != 2 || interleave != 0 || !encodable(map, type, base, dims, strides, rank, swizzle) ||
        !within(int(box[0]) * 2, 16, 128) || box[0] * 2 % 16 || !within(int(box[1]), 1, 256) ||
        steps[0] != 1 || steps[1] != 1)
        return CUDA_ERROR_INVALID_VALUE;
    const TensorMap t = simt::encode_tiled(
        base, int64_t(dims[0]), int64_t(dims[1]), int64_t(strides[0]), int(box[0]), int(box[1]));
    std::memcpy(map, &t, sizeof *map);
    return CUDA_SUCCESS;
}
CUresult cuTensorMapEncodeIm2col(CUtensorMap* map,
                                 int type,
                                 uint32_t rank,
                                 void* base,
                                 const uint64_t* dims,
                                 const uint64_t* strides,
                                 const int* lower,
                                 const int* upper,
                                 uint32_t channels,
                                 uint32_t pixels,
                                 const uint32_t* steps,
                                 int interleave,
                                 int swizzle,
                                 int,
                                 int) {
    if (rank != 4 || interleave != 0 || !encodable(map, type, base, dims, strides, rank, swizzle) ||
        !within(int(channels) * 2, 16, 128) || !within(int(pixels), 1, 1024))
        return CUDA_ERROR_INVALID_VALUE;
    for (int i = 0; i < 2; ++i)
        if (!within(lower[i], -128, 127) || !within(upper[i], -128, 127))
            return CUDA_ERROR_INVALID_VALUE;
    for (uint32_t i = 0; i < rank; ++i)
        if (!within(int(steps[i]), 1, 8)) return CUDA_ERROR_INVALID_VALUE;
    const TensorMap t =
        simt::encode_im2col(base, dims, strides, lower, upper, int(channels), int(pixels), steps);
    std::memcpy(map, &t, sizeof *map);
    return CUDA_SUCCESS;
}

}  // extern "C"
#pragma GCC visibility pop
