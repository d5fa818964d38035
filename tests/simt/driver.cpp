// An emulated libcuda: the driver functions of native/src/backend/cuda/cuda_api.h on the host, with
// the project's own kernels compiled for the emulator behind cuLaunchKernel. MIRROR_CUDA_DRIVER
// points the library at it; then the whole CUDA backend runs unchanged where there is no GPU.
//
// MIRROR_SIMT_ARCH (80, 86, 89, 90), _DEVICES, _MEMORY (MiB per device), _TIMING (late, early),
// _SEED, _WORKERS, _FAIL_LAUNCH set it up; mirror_simt_set changes them, and plants failures, while it runs.
#include <chrono>
#include <mutex>
#include <set>
#include <string_view>

#include "backend/cuda/cuda_api.h"
#include "common/params.h"
#include "common/ptx_sm90.cuh"
#include "driver_memory.hpp"
#include "driver_streams.hpp"

using namespace mirror::cuda;
using simt_driver::Memory;

#define MIRROR_KERNEL(name, Params, threads, shared, architecture, tile) \
    extern "C" void name(const Params);
#include "catalogue.h"
#undef MIRROR_KERNEL

struct CUfunc_st {
    const char* name;
    size_t params_bytes;
    int architecture;
    Work (*bind)(const void* params);
    int shared_limit = 48 << 10;
};
struct CUmod_st {};
struct CUctx_st {
    int device;
};

namespace {

template <class Params, void (*Kernel)(const Params)>
Work bind(const void* bytes) {
    Params params;
    std::memcpy(&params, bytes, sizeof params);
    return [params] { Kernel(params); };
}

CUfunc_st functions[] = {
#define MIRROR_KERNEL(name, Params, threads, shared, architecture, tile) \
    {#name, sizeof(Params), architecture, &bind<Params, name>},
#include "catalogue.h"
#undef MIRROR_KERNEL
};

std::recursive_mutex lock;
Memory memory;
std::set<CUstream_st*> streams;
CUctx_st contexts[8] = {{0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}};
CUmod_st module_;
thread_local std::vector<CUcontext> current;
CUresult sticky = CUDA_SUCCESS;
long long launches = 0;

long long setting(const char* name, long long otherwise) {
    const char* value = std::getenv(name);
    return value && *value ? std::atoll(value) : otherwise;
}
bool early_by_environment() {
    const char* value = std::getenv("MIRROR_SIMT_TIMING");
    return value && std::string_view(value) == "early";
}

int architecture = int(setting("MIRROR_SIMT_ARCH", 80));
int devices = int(setting("MIRROR_SIMT_DEVICES", 1));
long long fail_launch = setting("MIRROR_SIMT_FAIL_LAUNCH", 0);
uint64_t memory_limit = uint64_t(setting("MIRROR_SIMT_MEMORY", 8192)) << 20;
bool early = early_by_environment();
unsigned seed = unsigned(setting("MIRROR_SIMT_SEED", 0));
int workers = int(setting("MIRROR_SIMT_WORKERS", 2));

int largest_shared() {
    return architecture == 90 ? 227 << 10 : architecture == 80 ? 163 << 10 : 99 << 10;
}

CUresult broken(const char* what, const std::string& why) {
    std::fprintf(stderr, "emulated CUDA driver: %s: %s\n", what, why.c_str());
    return sticky = CUDA_ERROR_LAUNCH_FAILED;
}

// Every call: one at a time, in a context, and refused once something has failed.
template <class Body>
CUresult call(Body&& body) {
    const std::lock_guard guard(lock);
    if (sticky) return sticky;
    if (current.empty()) return CUDA_ERROR_INVALID_CONTEXT;
    const CUresult status = body();
    return sticky ? sticky : status;
}

void drain_all() {
    for (CUstream_st* stream : streams) stream->drain();
}

void run_kernel(const CUfunc_st& f, const Work& body, dim3 grid, dim3 block, size_t shared) {
    if (sticky) return;
    if (fail_launch && --fail_launch == 0) {
        sticky = CUDA_ERROR_ILLEGAL_ADDRESS;
        return;
    }
    ++launches;
    simt::Options options;
    options.timing = early ? simt::Timing::early : simt::Timing::late;
    options.seed = seed, options.workers = workers;
    try {
        simt::launch(grid, block, shared, body, options);
    } catch (const std::exception& e) {
        broken(f.name, e.what());
        return;
    }
    if (const std::string damage = memory.check_all(); !damage.empty()) broken(f.name, damage);
}

// In stream order. Like the real driver: pageable sources are read at once, pageable targets are
// written before the call returns; neither may be captured.
CUresult queue_copy(CUstream stream,
                    void* to,
                    const void* from,
                    size_t to_bytes,
                    size_t from_bytes,
                    std::function<void(void*, const void*)> move) {
    if (memory.overruns(to, to_bytes) || memory.overruns(from, from_bytes))
        return CUDA_ERROR_INVALID_VALUE;
    const bool from_pageable = memory.kind(from) == Memory::pageable,
               to_pageable = memory.kind(to) == Memory::pageable;
    if (stream->capturing && (from_pageable || to_pageable)) return CUDA_ERROR_INVALID_VALUE;
    if (from_pageable) {
        auto bytes = std::make_shared<std::vector<unsigned char>>(
            static_cast<const unsigned char*>(from),
            static_cast<const unsigned char*>(from) + from_bytes);
        stream->add([=] { move(to, bytes->data()); }, early);
    } else {
        stream->add([=] { move(to, from); }, early);
    }
    if (to_pageable) stream->drain();
    return CUDA_SUCCESS;
}

}  // namespace

void simt_queue(CUstream_st* stream, Work work) {
    const std::lock_guard guard(lock);
    stream->add(std::move(work), early);
}

extern "C" {

// "memory" (bytes per device), "fail_launch" (the n-th kernel from now on fails), "sticky" (0: the
// context works again), "early", "seed", "arch", "devices"; returns the value before. "launches",
// "live" and "used" only tell.
__attribute__((visibility("default"))) long long mirror_simt_set(const char* name,
                                                                 long long value) {
    const std::lock_guard guard(lock);
    const std::string_view key = name;
    auto swap = [&](auto& variable) {
        const long long before = static_cast<long long>(variable);
        variable = static_cast<std::remove_reference_t<decltype(variable)>>(value);
        return before;
    };
    if (key == "memory") return swap(memory_limit);
    if (key == "fail_launch") return swap(fail_launch);
    if (key == "early") return swap(early);
    if (key == "seed") return swap(seed);
    if (key == "arch") return swap(architecture);
    if (key == "sticky") return swap(sticky);
    if (key == "devices") return swap(devices);
    if (key == "launches") return launches;
    if (key == "live") return static_cast<long long>(memory.live());
    if (key == "used") return static_cast<long long>(memory.used());
    return -1;
}

#pragma GCC visibility push(default)

CUresult cuInit(unsigned) {
    return devices > 0 ? CUDA_SUCCESS : CUDA_ERROR_NO_DEVICE;
}
CUresult cuDriverGetVersion(int* version) {
    *version = int(setting("MIRROR_SIMT_DRIVER", 12040));
    return CUDA_SUCCESS;
}
CUresult cuGetErrorName(CUresult status, const char** name) {
    *name = status == CUDA_ERROR_OUT_OF_MEMORY     ? "CUDA_ERROR_OUT_OF_MEMORY"
            : status == CUDA_ERROR_ILLEGAL_ADDRESS ? "CUDA_ERROR_ILLEGAL_ADDRESS"
            : status == CUDA_ERROR_LAUNCH_FAILED   ? "CUDA_ERROR_LAUNCH_FAILED"
            : status == CUDA_ERROR_INVALID_VALUE   ? "CUDA_ERROR_INVALID_VALUE"
            : status == CUDA_ERROR_NO_DEVICE       ? "CUDA_ERROR_NO_DEVICE"
                                                   : "CUDA_ERROR";
    return CUDA_SUCCESS;
}
CUresult cuGetErrorString(CUresult, const char** words) {
    *words = "reported by the emulated driver";
    return CUDA_SUCCESS;
}
CUresult cuDeviceGetCount(int* count) {
    *count = devices;
    return CUDA_SUCCESS;
}
CUresult cuDeviceGet(CUdevice* device, int ordinal) {
    *device = ordinal;
    return ordinal >= 0 && ordinal < devices ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}
CUresult cuDeviceGetName(char* name, int length, CUdevice) {
    std::snprintf(name, size_t(length), "emulated GPU sm_%d", architecture);
    return CUDA_SUCCESS;
}
CUresult cuDeviceGetAttribute(int* value, int attribute, CUdevice) {
    switch (attribute) {
        case ATTRIBUTE_MULTIPROCESSOR_COUNT:
            *value = 4;
            return CUDA_SUCCESS;
        case ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR:
            *value = architecture / 10;
            return CUDA_SUCCESS;
        case ATTRIBUTE_COMPUTE_CAPABILITY_MINOR:
            *value = architecture % 10;
            return CUDA_SUCCESS;
        case ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN:
            *value = largest_shared();
            return CUDA_SUCCESS;
        default:
            return CUDA_ERROR_INVALID_VALUE;
    }
}
CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice) {
    *bytes = memory_limit;
    return CUDA_SUCCESS;
}
CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
    *context = &contexts[device];
    return CUDA_SUCCESS;
}
CUresult cuDevicePrimaryCtxRelease_v2(CUdevice) {
    return CUDA_SUCCESS;
}
CUresult cuCtxPushCurrent_v2(CUcontext context) {
    current.push_back(context);
    return CUDA_SUCCESS;
}
CUresult cuCtxPopCurrent_v2(CUcontext* context) {
    if (current.empty()) return CUDA_ERROR_INVALID_CONTEXT;
    *context = current.back();
    current.pop_back();
    return CUDA_SUCCESS;
}
CUresult cuCtxGetDevice(CUdevice* device) {
    return call([&] { return *device = current.back()->device, CUDA_SUCCESS; });
}
CUresult cuModuleLoadData(CUmodule* module, const void* image) {
    return call(
        [&] { return *module = &module_, image ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE; });
}
CUresult cuModuleUnload(CUmodule) {
    return CUDA_SUCCESS;
}
CUresult cuModuleGetFunction(CUfunction* function, CUmodule, const char* name) {
    return call([&]() -> CUresult {
        for (CUfunc_st& f : functions)
            if (std::string_view(f.name) == name &&
                (f.architecture == 90 ? architecture == 90 : architecture >= f.architecture)) {
                *function = &f;
                return CUDA_SUCCESS;
            }
        return CUDA_ERROR_NOT_FOUND;
    });
}
CUresult cuFuncSetAttribute(CUfunction function, int attribute, int value) {
    return call([&]() -> CUresult {
        if (attribute != FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES || value > largest_shared())
            return CUDA_ERROR_INVALID_VALUE;
        function->shared_limit = std::max(value, 48 << 10);
        return CUDA_SUCCESS;
    });
}
CUresult cuLaunchKernel(CUfunction f,
                        unsigned gx,
                        unsigned gy,
                        unsigned gz,
                        unsigned bx,
                        unsigned by,
                        unsigned bz,
                        unsigned shared,
                        CUstream stream,
                        void** params,
                        void**) {
    return call([&]() -> CUresult {
        if (!gx || !gy || !gz || gy > 65535 || gz > 65535 || uint64_t(bx) * by * bz > 1024 ||
            int(shared) > f->shared_limit)
            return CUDA_ERROR_INVALID_VALUE;
        stream->add([f,
                     body = f->bind(params[0]),
                     grid = dim3{gx, gy, gz},
                     block = dim3{bx, by, bz},
                     shared] { run_kernel(*f, body, grid, block, shared); },
                    early);
        return CUDA_SUCCESS;
    });
}
CUresult cuMemGetInfo_v2(size_t* available, size_t* total) {
    return call([&] {
        return *total = memory_limit,
               *available = memory_limit > memory.used() ? memory_limit - memory.used() : 0,
               CUDA_SUCCESS;
    });
}
CUresult cuMemAlloc_v2(CUdeviceptr* p, size_t bytes) {
    return call([&]() -> CUresult {
        if (!bytes) return CUDA_ERROR_INVALID_VALUE;
        *p = reinterpret_cast<CUdeviceptr>(memory.allocate(bytes, Memory::device, memory_limit));
        return *p ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
    });
}
CUresult cuMemFree_v2(CUdeviceptr p) {
    const std::lock_guard guard(lock);
    if (!sticky) drain_all();
    if (const std::string damage = memory.release(reinterpret_cast<void*>(p)); !damage.empty())
        return broken("cuMemFree", damage);
    return sticky;
}
CUresult cuMemAllocHost_v2(void** p, size_t bytes) {
    return call([&]() -> CUresult {
        *p = memory.allocate(bytes, Memory::pinned, 0);
        return *p ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
    });
}
CUresult cuMemFreeHost(void* p) {
    const std::lock_guard guard(lock);
    if (!sticky) drain_all();
    if (const std::string damage = memory.release(p); !damage.empty())
        return broken("cuMemFreeHost", damage);
    return sticky;
}
CUresult cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
    return call([&] {
        return queue_copy(stream,
                          reinterpret_cast<void*>(to),
                          reinterpret_cast<const void*>(from),
                          bytes,
                          bytes,
                          [bytes](void* t, const void* f) { std::memcpy(t, f, bytes); });
    });
}
CUresult cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D* copy, CUstream stream) {
    return call([&]() -> CUresult {
        const CUDA_MEMCPY2D c = *copy;
        if (c.srcMemoryType != MEMORY_TYPE_UNIFIED || c.dstMemoryType != MEMORY_TYPE_UNIFIED ||
            !c.Height || !c.WidthInBytes)
            return CUDA_ERROR_INVALID_VALUE;
        return queue_copy(stream,
                          reinterpret_cast<void*>(c.dstDevice),
                          reinterpret_cast<const void*>(c.srcDevice),
                          (c.Height - 1) * c.dstPitch + c.WidthInBytes,
                          (c.Height - 1) * c.srcPitch + c.WidthInBytes,
                          [c](void* t, const void* f) {
                              for (size_t y = 0; y < c.Height; ++y)
                                  std::memcpy(static_cast<char*>(t) + y * c.dstPitch,
                                              static_cast<const char*>(f) + y * c.srcPitch,
                                              c.WidthInBytes);
                          });
    });
}
CUresult cuMemsetD8Async(CUdeviceptr p, unsigned char value, size_t bytes, CUstream stream) {
    return call([&]() -> CUresult {
        if (memory.kind(reinterpret_cast<void*>(p)) != Memory::device ||
            memory.overruns(reinterpret_cast<void*>(p), bytes))
            return CUDA_ERROR_INVALID_VALUE;
        stream->add([=] { std::memset(reinterpret_cast<void*>(p), value, bytes); }, early);
        return CUDA_SUCCESS;
    });
}
CUresult cuPointerGetAttribute(void* value, int attribute, CUdeviceptr p) {
    return call([&]() -> CUresult {
        const Memory::Kind kind = memory.kind(reinterpret_cast<void*>(p));
        if (attribute != POINTER_ATTRIBUTE_MEMORY_TYPE || kind == Memory::pageable)
            return CUDA_ERROR_INVALID_VALUE;
        *static_cast<int*>(value) = kind == Memory::device ? 2 : 1;
        return CUDA_SUCCESS;
    });
}
CUresult cuStreamCreate(CUstream* stream, unsigned) {
    return call([&] { return streams.insert(*stream = new CUstream_st), CUDA_SUCCESS; });
}
CUresult cuStreamDestroy_v2(CUstream stream) {
    const std::lock_guard guard(lock);
    if (!sticky) stream->drain();
    streams.erase(stream);
    delete stream;
    return sticky;
}
CUresult cuStreamSynchronize(CUstream stream) {
    return call([&] { return stream->drain(), CUDA_SUCCESS; });
}
CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned) {
    return call([&] {
        return stream->add([record = event->last] { record->wait(); }, early), CUDA_SUCCESS;
    });
}
CUresult cuStreamBeginCapture_v2(CUstream stream, int) {
    return call([&] { return stream->drain(), stream->capturing = true, CUDA_SUCCESS; });
}
CUresult cuStreamEndCapture(CUstream stream, CUgraph* graph) {
    return call([&] {
        stream->capturing = false;
        *graph = new CUgraph_st{std::move(stream->captured)};
        stream->captured.clear();
        return CUDA_SUCCESS;
    });
}
CUresult cuGraphInstantiateWithFlags(CUgraphExec* exec, CUgraph graph, unsigned long long) {
    return call([&] { return *exec = new CUgraphExec_st{graph->work}, CUDA_SUCCESS; });
}
CUresult cuGraphLaunch(CUgraphExec exec, CUstream stream) {
    return call([&] {
        for (const Work& work : exec->work) stream->add(work, early);
        return CUDA_SUCCESS;
    });
}
CUresult cuGraphExecDestroy(CUgraphExec exec) {
    delete exec;
    return CUDA_SUCCESS;
}
CUresult cuGraphDestroy(CUgraph graph) {
    delete graph;
    return CUDA_SUCCESS;
}
CUresult cuEventCreate(CUevent* event, unsigned) {
    return call([&] { return *event = new CUevent_st, CUDA_SUCCESS; });
}
CUresult cuEventDestroy_v2(CUevent event) {
    delete event;
    return CUDA_SUCCESS;
}
CUresult cuEventRecord(CUevent event, CUstream stream) {
    return call([&] {
        auto record = event->last =
            std::make_shared<CUevent_st::Record>(CUevent_st::Record{false, stream, 0});
        stream->add(
            [record] {
                record->seconds = std::chrono::duration<double>(
                                      std::chrono::steady_clock::now().time_since_epoch())
                                      .count(),
                record->done = true;
            },
            early);
        return CUDA_SUCCESS;
    });
}
CUresult cuEventSynchronize(CUevent event) {
    return call([&] { return event->last->wait(), CUDA_SUCCESS; });
}
CUresult cuEventElapsedTime(float* milliseconds, CUevent start, CUevent end) {
    *milliseconds = float((end->last->seconds - start->last->seconds) * 1e3);
    return CUDA_SUCCESS;
}

// The two tensor maps that ptx_sm90.cuh's kernels use: 16-bit elements, 128-byte swizzle.
CUresult cuTensorMapEncodeTiled(CUtensorMap* map,
                                int,
                                uint32_t rank,
                                void* base,
                                const uint64_t* dims,
                                const uint64_t* strides,
                                const uint32_t* box,
                                const uint32_t*,
                                int,
                                int swizzle,
                                int,
                                int) {
    if (rank != 2 || swizzle != TENSOR_MAP_SWIZZLE_128B || strides[0] % 16 || box[0] * 2 > 128 ||
        box[1] > 256)
        return CUDA_ERROR_INVALID_VALUE;
    const TensorMap t = simt::encode_tiled(
        base, int64_t(dims[0]), int64_t(dims[1]), int64_t(strides[0]), int(box[0]), int(box[1]));
    std::memcpy(map, &t, sizeof *map);
    return CUDA_SUCCESS;
}
CUresult cuTensorMapEncodeIm2col(CUtensorMap* map,
                                 int,
                                 uint32_t rank,
                                 void* base,
                                 const uint64_t* dims,
                                 const uint64_t* strides,
                                 const int* lower,
                                 const int* upper,
                                 uint32_t channels,
                                 uint32_t pixels,
                                 const uint32_t* steps,
                                 int,
                                 int swizzle,
                                 int,
                                 int) {
    if (rank != 4 || swizzle != TENSOR_MAP_SWIZZLE_128B || strides[0] % 16 || channels * 2 > 128 ||
        pixels > 256)
        return CUDA_ERROR_INVALID_VALUE;
    const TensorMap t =
        simt::encode_im2col(base, dims, strides, lower, upper, int(channels), int(pixels), steps);
    std::memcpy(map, &t, sizeof *map);
    return CUDA_SUCCESS;
}

#pragma GCC visibility pop
}  // extern "C"
