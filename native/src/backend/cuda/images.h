// The kernel images inside libmirror: one fatbin where nvcc built it, PTX for sm_80 and sm_90a
// where clang did. The table is assembled from a generated file (cmake/kernels.cmake), which is why
// it is C and has no class in it.
#pragma once

#include <cstdint>

extern "C" {

struct MirrorKernelImage {
    const char* name;  // "fatbin", "ptx sm_80" or "ptx sm_90a"
    const unsigned char*
        data;       // what cuModuleLoadData takes; 64-byte aligned; PTX ends with a NUL byte
    uint64_t size;  // bytes, that NUL included
};

extern const MirrorKernelImage mirror_kernel_images[];
extern const uint64_t mirror_kernel_image_count;

}  // extern "C"
