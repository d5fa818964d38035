// The part of the CUDA driver API that Mirror uses, declared by hand after the public reference
// (CUDA Driver API, versions 11.4 and later): no CUDA header is needed to build. Every function is
// resolved at run time from the driver's own library, so one binary runs with and without a GPU.
// The emulated driver of tests/simt implements exactly this list.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

typedef int CUresult;
typedef int CUdevice;
typedef uint64_t CUdeviceptr;
typedef struct CUctx_st* CUcontext;
typedef struct CUmod_st* CUmodule;
typedef struct CUfunc_st* CUfunction;
typedef struct CUstream_st* CUstream;
typedef struct CUevent_st* CUevent;
typedef struct CUgraph_st* CUgraph;
typedef struct CUgraphExec_st* CUgraphExec;

typedef struct alignas(64) CUtensorMap_st {
    uint64_t opaque[16];
} CUtensorMap;

}  // extern "C"

namespace mirror::cuda {

enum : CUresult {
    CUDA_SUCCESS = 0,
    CUDA_ERROR_INVALID_VALUE = 1,
    CUDA_ERROR_OUT_OF_MEMORY = 2,
    CUDA_ERROR_DEINITIALIZED = 4,
    CUDA_ERROR_NO_DEVICE = 100,
    CUDA_ERROR_INVALID_DEVICE = 101,
    CUDA_ERROR_INVALID_CONTEXT = 201,
    CUDA_ERROR_ECC_UNCORRECTABLE = 214,
    CUDA_ERROR_NVLINK_UNCORRECTABLE = 220,
    CUDA_ERROR_CONTAINED = 226,
    CUDA_ERROR_NOT_FOUND = 500,
    CUDA_ERROR_ILLEGAL_ADDRESS = 700,
    CUDA_ERROR_LAUNCH_TIMEOUT = 702,
    CUDA_ERROR_CONTEXT_IS_DESTROYED = 709,
    CUDA_ERROR_ASSERT = 710,
    CUDA_ERROR_HARDWARE_STACK_ERROR = 714,
    CUDA_ERROR_LAUNCH_FAILED = 719,
    CUDA_ERROR_TENSOR_MEMORY_LEAK = 721,
    CUDA_ERROR_MPS_CLIENT_TERMINATED = 810,
    CUDA_ERROR_EXTERNAL_DEVICE = 911,
    CUDA_ERROR_UNKNOWN = 999,
};

enum {  // CUdevice_attribute
    ATTRIBUTE_MULTIPROCESSOR_COUNT = 16,
    ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR = 75,
    ATTRIBUTE_COMPUTE_CAPABILITY_MINOR = 76,
    ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN = 97,
};
constexpr int FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES = 8;
constexpr int POINTER_ATTRIBUTE_MEMORY_TYPE = 2;
constexpr int MEMORY_TYPE_HOST = 1, MEMORY_TYPE_DEVICE = 2;
constexpr int POINTER_ATTRIBUTE_DEVICE_ORDINAL = 9;
constexpr unsigned STREAM_NON_BLOCKING = 1;
constexpr unsigned EVENT_DEFAULT = 0;
constexpr int STREAM_CAPTURE_MODE_THREAD_LOCAL = 1;
// CUtensorMap*
constexpr int TENSOR_MAP_FLOAT16 = 6, TENSOR_MAP_BFLOAT16 = 9;
constexpr int TENSOR_MAP_SWIZZLE_128B = 3, TENSOR_MAP_L2_PROMOTION_128B = 2;

// name in the library, result and parameters
#define MIRROR_CUDA_DRIVER_FUNCTIONS(F)                                         \
    F(cuInit, (unsigned))                                                       \
    F(cuDriverGetVersion, (int*))                                               \
    F(cuGetErrorName, (CUresult, const char**))                                 \
    F(cuGetErrorString, (CUresult, const char**))                               \
    F(cuDeviceGetCount, (int*))                                                 \
    F(cuDeviceGet, (CUdevice*, int))                                            \
    F(cuDeviceGetName, (char*, int, CUdevice))                                  \
    F(cuDeviceGetAttribute, (int*, int, CUdevice))                              \
    F(cuDeviceTotalMem_v2, (size_t*, CUdevice))                                 \
    F(cuDevicePrimaryCtxRetain, (CUcontext*, CUdevice))                         \
    F(cuDevicePrimaryCtxRelease_v2, (CUdevice))                                 \
    F(cuCtxPushCurrent_v2, (CUcontext))                                         \
    F(cuCtxPopCurrent_v2, (CUcontext*))                                         \
    F(cuCtxGetDevice, (CUdevice*))                                              \
    F(cuModuleLoadData, (CUmodule*, const void*))                               \
    F(cuModuleUnload, (CUmodule))                                               \
    F(cuModuleGetFunction, (CUfunction*, CUmodule, const char*))                \
    F(cuFuncSetAttribute, (CUfunction, int, int))                               \
    F(cuLaunchKernel,                                                           \
      (CUfunction,                                                              \
       unsigned,                                                                \
       unsigned,                                                                \
       unsigned,                                                                \
       unsigned,                                                                \
       unsigned,                                                                \
       unsigned,                                                                \
       unsigned,                                                                \
       CUstream,                                                                \
       void**,                                                                  \
       void**))                                                                 \
    F(cuMemGetInfo_v2, (size_t*, size_t*))                                      \
    F(cuMemAlloc_v2, (CUdeviceptr*, size_t))                                    \
    F(cuMemFree_v2, (CUdeviceptr))                                              \
    F(cuMemAllocHost_v2, (void**, size_t))                                      \
    F(cuMemFreeHost, (void*))                                                   \
    F(cuMemcpyAsync, (CUdeviceptr, CUdeviceptr, size_t, CUstream))              \
    F(cuMemsetD8Async, (CUdeviceptr, unsigned char, size_t, CUstream))          \
    F(cuPointerGetAttributes, (unsigned, const int*, void**, CUdeviceptr))      \
    F(cuStreamCreate, (CUstream*, unsigned))                                    \
    F(cuStreamDestroy_v2, (CUstream))                                           \
    F(cuStreamSynchronize, (CUstream))                                          \
    F(cuStreamWaitEvent, (CUstream, CUevent, unsigned))                         \
    F(cuStreamBeginCapture_v2, (CUstream, int))                                 \
    F(cuStreamEndCapture, (CUstream, CUgraph*))                                 \
    F(cuGraphInstantiateWithFlags, (CUgraphExec*, CUgraph, unsigned long long)) \
    F(cuGraphLaunch, (CUgraphExec, CUstream))                                   \
    F(cuGraphExecDestroy, (CUgraphExec))                                        \
    F(cuGraphDestroy, (CUgraph))                                                \
    F(cuEventCreate, (CUevent*, unsigned))                                      \
    F(cuEventDestroy_v2, (CUevent))                                             \
    F(cuEventRecord, (CUevent, CUstream))                                       \
    F(cuEventSynchronize, (CUevent))                                            \
    F(cuEventElapsedTime, (float*, CUevent, CUevent))

// Present from CUDA 12.0 on; needed by the Hopper kernels only.
#define MIRROR_CUDA_TENSOR_MAP_FUNCTIONS(F) \
    F(cuTensorMapEncodeTiled,               \
      (CUtensorMap*,                        \
       int,                                 \
       uint32_t,                            \
       void*,                               \
       const uint64_t*,                     \
       const uint64_t*,                     \
       const uint32_t*,                     \
       const uint32_t*,                     \
       int,                                 \
       int,                                 \
       int,                                 \
       int))                                \
    F(cuTensorMapEncodeIm2col,              \
      (CUtensorMap*,                        \
       int,                                 \
       uint32_t,                            \
       void*,                               \
       const uint64_t*,                     \
       const uint64_t*,                     \
       const int*,                          \
       const int*,                          \
       uint32_t,                            \
       uint32_t,                            \
       const uint32_t*,                     \
       int,                                 \
       int,                                 \
       int,                                 \
       int))

struct Driver {
#define MIRROR_DECLARE(name, parameters) CUresult(*name) parameters = nullptr;
    MIRROR_CUDA_DRIVER_FUNCTIONS(MIRROR_DECLARE)
    MIRROR_CUDA_TENSOR_MAP_FUNCTIONS(MIRROR_DECLARE)
#undef MIRROR_DECLARE
    const char* library = "";  // what was loaded
    int version = 0;           // 1000 * major + 10 * minor
};

}  // namespace mirror::cuda
