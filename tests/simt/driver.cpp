// An emulated libcuda: the driver functions of native/src/backend/cuda/cuda_api.h on the host, with
// the project's own kernels compiled for the emulator behind cuLaunchKernel. MIRROR_CUDA_DRIVER
// points the library at it; then the whole CUDA backend runs unchanged where there is no GPU.
//
// MIRROR_SIMT_ARCH (80, 86, 89, 90), _DEVICES, _MEMORY (MiB per device), _TIMING (late, early),
// _LATE_PAGEABLE (1: see queue_copy), _SEED, _WORKERS, _FAIL_LAUNCH set it up; mirror_simt_set
// changes them, and plants failures, while it runs.
#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <string_view>
#include <thread>
#include <utility>

#include "backend/cuda/cuda_api.h"
#include "common/params.h"
#include "common/ptx.cuh"
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
    int device = 0;
    int shared_limit = 48 << 10;
};
struct CUmod_st {
    std::vector<CUfunc_st> functions;
};
struct CUctx_st {
    int device;
};

namespace {

// Errors that the backend does not tell apart.
constexpr CUresult kInvalidHandle = 400, kIllegalState = 401, kNotReady = 600,
                   kCaptureUnsupported = 900, kCaptureInvalidated = 901, kCaptureIsolation = 905,
                   kCapturedEvent = 907, kCaptureWrongThread = 908;
constexpr int kCaptureGlobal = 0, kCaptureRelaxed = 2;  // CUstreamCaptureMode

template <class Params, void (*Kernel)(const Params)>
Work bind(const void* bytes) {
    Params params;
    std::memcpy(&params, bytes, sizeof params);
    return [params] { Kernel(params); };
}

const CUfunc_st kFunctions[] = {
#define MIRROR_KERNEL(name, Params, threads, shared, architecture, tile) \
    {#name, sizeof(Params), architecture, &bind<Params, name>},
#include "catalogue.h"
#undef MIRROR_KERNEL
};

std::recursive_mutex lock;
Memory memory;
std::set<CUstream_st*> streams;
CUctx_st contexts[8] = {{0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}};
thread_local std::vector<CUcontext> current;
CUresult sticky[8] = {};  // per device: what every call is answered with once a kernel has failed
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
bool late_pageable = setting("MIRROR_SIMT_LATE_PAGEABLE", 0) != 0;
unsigned seed = unsigned(setting("MIRROR_SIMT_SEED", 0));
int workers = int(setting("MIRROR_SIMT_WORKERS", 2));

int largest_shared() {
    return architecture == 90 ? 227 << 10 : architecture == 80 ? 163 << 10 : 99 << 10;
}

CUresult broken(int device, const char* what, const std::string& why) {
    std::fprintf(stderr, "emulated CUDA driver: cuda:%d: %s: %s\n", device, what, why.c_str());
    return sticky[device] = CUDA_ERROR_LAUNCH_FAILED;
}

// Every call: one at a time, in a context, and refused once something has failed on its device.
template <class Body>
CUresult call(Body&& body) {
    const std::lock_guard guard(lock);
    if (current.empty()) return CUDA_ERROR_INVALID_CONTEXT;
    const CUresult& lost = sticky[current.back()->device];
    if (lost) return lost;
    const CUresult status = body();
    return lost ? lost : status;
}
// ... with a stream, perhaps of another device.
template <class Body>
CUresult call_on(CUstream stream, Body&& body) {
    return call([&]() -> CUresult {
        if (!streams.count(stream)) return kInvalidHandle;
        const CUresult& lost = sticky[stream->device];
        if (lost) return lost;
        const CUresult status = body();
        return lost ? lost : status;
    });
}

// "Potentially unsafe" calls, which may wait for the device: a thread must not make them while it
// captures, no thread must while somebody captures in the global mode. They spoil the capture.
CUresult refuse_in_capture() {
    CUresult status = CUDA_SUCCESS;
    for (CUstream_st* stream : streams) {
        if (stream->capture == CUstream_st::none || stream->capture_mode == kCaptureRelaxed ||
            (stream->capture_mode != kCaptureGlobal &&
             stream->capturer != std::this_thread::get_id()))
            continue;
        stream->capture = CUstream_st::invalidated;
        status = kCaptureUnsupported;
    }
    return status;
}
CUresult spoil_capture(CUstream stream, CUresult status) {
    if (stream->capture == CUstream_st::active) stream->capture = CUstream_st::invalidated;
    return status;
}

// In stream order, or into the stream's capture.
CUresult queue(CUstream stream, Work work) {
    if (stream->capture == CUstream_st::invalidated) return kCaptureInvalidated;
    stream->add(std::move(work), early);
    return CUDA_SUCCESS;
}

// Freeing memory waits for the device and works on a lost one.
CUresult release(void* p, const char* call) {
    const std::lock_guard guard(lock);
    if (current.empty()) return CUDA_ERROR_INVALID_CONTEXT;
    if (const CUresult refused = refuse_in_capture()) return refused;
    const int device = current.back()->device;
    for (CUstream_st* stream : streams)
        if (stream->device == device && !sticky[device]) stream->drain();
    if (const std::string damage = memory.release(p); !damage.empty())
        return broken(device, call, damage);
    return sticky[device];
}

void run_kernel(
    int device, const char* name, const Work& body, dim3 grid, dim3 block, size_t shared) {
    if (sticky[device]) return;
    if (fail_launch && --fail_launch == 0) {
        sticky[device] = CUDA_ERROR_ILLEGAL_ADDRESS;
        return;
    }
    ++launches;
    simt::Options options;
    options.timing = early ? simt::Timing::early : simt::Timing::late;
    options.seed = seed, options.workers = workers;
    try {
        simt::launch(grid, block, shared, body, options);
    } catch (const std::exception& e) {
        broken(device, name, e.what());
        return;
    }
    if (const std::string damage = memory.check_all(); !damage.empty())
        broken(device, name, damage);
}

// Like the real driver: pageable sources are read at once, pageable targets are written before the
// call returns; neither may be captured. cuMemcpyAsync does not promise the former: with
// late_pageable such a source is read when its turn comes, and one that has died by then shows.
CUresult queue_copy(CUstream stream, void* to, const void* from, size_t bytes) {
    if (memory.overruns(to, bytes) || memory.overruns(from, bytes)) return CUDA_ERROR_INVALID_VALUE;
    const bool from_pageable = memory.kind(from) == Memory::pageable,
               to_pageable = memory.kind(to) == Memory::pageable;
    if (stream->capture == CUstream_st::active && (from_pageable || to_pageable))
        return spoil_capture(stream, kCaptureUnsupported);
    CUresult status = CUDA_SUCCESS;
    if (from_pageable && !late_pageable) {
        const auto* begin = static_cast<const unsigned char*>(from);
        status = queue(stream, [to, kept = std::vector<unsigned char>(begin, begin + bytes)] {
            std::memcpy(to, kept.data(), kept.size());
        });
    } else {
        status = queue(stream, [=] { std::memcpy(to, from, bytes); });
    }
    if (to_pageable) stream->drain();
    return status;
}

}  // namespace

void simt_queue(CUstream_st* stream, Work work) {
    const std::lock_guard guard(lock);
    queue(stream, std::move(work));
}

extern "C" {

// "memory" (bytes per device), "fail_launch" (the n-th kernel from now on fails), "sticky" (0: all
// contexts work again), "early", "late_pageable", "seed", "arch", "devices"; returns the value
// before. "launches", "live" (allocations) and "used" (bytes, of the GPU where it is most) only
// tell.
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
    if (key == "late_pageable") return swap(late_pageable);
    if (key == "sticky") {
        const CUresult before = *std::max_element(std::begin(sticky), std::end(sticky));
        std::fill(std::begin(sticky), std::end(sticky), CUresult(value));
        return before;
    }
    if (key == "devices") return swap(devices);
    if (key == "launches") return launches;
    if (key == "live") return static_cast<long long>(memory.live());
    if (key == "used") return static_cast<long long>(memory.most_used());
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
    static const std::map<CUresult, const char*> names = {
        {CUDA_ERROR_INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE"},
        {CUDA_ERROR_OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY"},
        {CUDA_ERROR_NO_DEVICE, "CUDA_ERROR_NO_DEVICE"},
        {CUDA_ERROR_INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT"},
        {kInvalidHandle, "CUDA_ERROR_INVALID_HANDLE"},
        {kIllegalState, "CUDA_ERROR_ILLEGAL_STATE"},
        {kNotReady, "CUDA_ERROR_NOT_READY"},
        {CUDA_ERROR_ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS"},
        {CUDA_ERROR_LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED"},
        {kCaptureUnsupported, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"},
        {kCaptureInvalidated, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED"},
        {kCaptureIsolation, "CUDA_ERROR_STREAM_CAPTURE_ISOLATION"},
        {kCapturedEvent, "CUDA_ERROR_CAPTURED_EVENT"},
        {kCaptureWrongThread, "CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD"},
    };
    const auto found = names.find(status);
    *name = found == names.end() ? "CUDA_ERROR" : found->second;
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
    return call([&]() -> CUresult {
        if (!image) return CUDA_ERROR_INVALID_VALUE;
        *module = new CUmod_st;
        for (CUfunc_st f : kFunctions) {
            f.device = current.back()->device;
            (*module)->functions.push_back(f);
        }
        return CUDA_SUCCESS;
    });
}
CUresult cuModuleUnload(CUmodule module) {
    const std::lock_guard guard(lock);
    delete module;
    return CUDA_SUCCESS;
}
CUresult cuModuleGetFunction(CUfunction* function, CUmodule module, const char* name) {
    return call([&]() -> CUresult {
        for (CUfunc_st& f : module->functions)
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
    return call_on(stream, [&]() -> CUresult {
        const int device = current.back()->device;
        if (stream->device != device || f->device != device) return kInvalidHandle;
        if (!gx || !gy || !gz || gy > 65535 || gz > 65535 || uint64_t(bx) * by * bz > 1024 ||
            int(shared) > f->shared_limit)
            return CUDA_ERROR_INVALID_VALUE;
        return queue(stream,
                     [device,
                      name = f->name,
                      body = f->bind(params[0]),
                      grid = dim3{gx, gy, gz},
                      block = dim3{bx, by, bz},
                      shared] { run_kernel(device, name, body, grid, block, shared); });
    });
}
CUresult cuMemGetInfo_v2(size_t* available, size_t* total) {
    return call([&] {
        const uint64_t used = memory.used(current.back()->device);
        return *total = memory_limit, *available = memory_limit > used ? memory_limit - used : 0,
               CUDA_SUCCESS;
    });
}
CUresult cuMemAlloc_v2(CUdeviceptr* p, size_t bytes) {
    return call([&]() -> CUresult {
        if (const CUresult refused = refuse_in_capture()) return refused;
        if (!bytes) return CUDA_ERROR_INVALID_VALUE;
        *p = reinterpret_cast<CUdeviceptr>(
            memory.allocate(bytes, Memory::device, current.back()->device, memory_limit));
        return *p ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
    });
}
CUresult cuMemFree_v2(CUdeviceptr p) {
    return release(reinterpret_cast<void*>(p), "cuMemFree");
}
CUresult cuMemAllocHost_v2(void** p, size_t bytes) {
    return call([&]() -> CUresult {
        if (const CUresult refused = refuse_in_capture()) return refused;
        *p = memory.allocate(bytes, Memory::pinned, current.back()->device, 0);
        return *p ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
    });
}
CUresult cuMemFreeHost(void* p) {
    return release(p, "cuMemFreeHost");
}
CUresult cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
    return call_on(stream, [&] {
        return queue_copy(
            stream, reinterpret_cast<void*>(to), reinterpret_cast<const void*>(from), bytes);
    });
}
CUresult cuMemsetD8Async(CUdeviceptr p, unsigned char value, size_t bytes, CUstream stream) {
    return call_on(stream, [&]() -> CUresult {
        if (memory.kind(reinterpret_cast<void*>(p)) != Memory::device ||
            memory.overruns(reinterpret_cast<void*>(p), bytes))
            return CUDA_ERROR_INVALID_VALUE;
        return queue(stream, [=] { std::memset(reinterpret_cast<void*>(p), value, bytes); });
    });
}
CUresult cuPointerGetAttributes(unsigned count,
                                const int* attributes,
                                void** values,
                                CUdeviceptr p) {
    return call([&]() -> CUresult {
        const void* pointer = reinterpret_cast<void*>(p);
        const Memory::Kind kind = memory.kind(pointer);
        for (unsigned i = 0; i < count; ++i) {
            int& value = *static_cast<int*>(values[i]);
            switch (attributes[i]) {
                case POINTER_ATTRIBUTE_MEMORY_TYPE:
                    value = kind == Memory::device   ? MEMORY_TYPE_DEVICE
                            : kind == Memory::pinned ? MEMORY_TYPE_HOST
                                                     : 0;
                    break;
                case POINTER_ATTRIBUTE_DEVICE_ORDINAL:
                    value = kind == Memory::pageable ? -2 : memory.ordinal(pointer);
                    break;
                default:
                    return CUDA_ERROR_INVALID_VALUE;
            }
        }
        return CUDA_SUCCESS;
    });
}
CUresult cuStreamCreate(CUstream* stream, unsigned) {
    return call([&] {
        *stream = new CUstream_st;
        (*stream)->device = current.back()->device;
        return streams.insert(*stream), CUDA_SUCCESS;
    });
}
CUresult cuStreamDestroy_v2(CUstream stream) {
    const std::lock_guard guard(lock);
    if (!streams.count(stream)) return kInvalidHandle;
    const CUresult lost = sticky[stream->device];
    if (!lost) stream->drain();
    streams.erase(stream);
    delete stream;
    return lost;
}
CUresult cuStreamSynchronize(CUstream stream) {
    return call_on(stream, [&]() -> CUresult {
        if (stream->capture != CUstream_st::none) return spoil_capture(stream, kCaptureUnsupported);
        if (const CUresult refused = refuse_in_capture()) return refused;
        return stream->drain(), CUDA_SUCCESS;
    });
}
// Captured and other work must not wait for each other. The one exception of the real driver, that
// a stream joins a capture by waiting for its event, is not emulated.
CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned) {
    return call_on(stream, [&]() -> CUresult {
        const auto record = event->last;
        if (stream->capture == CUstream_st::none)
            return record->captured ? kCapturedEvent : queue(stream, [record] { record->wait(); });
        if (record->captured && record->stream == stream) return CUDA_SUCCESS;
        return spoil_capture(stream, kCaptureIsolation);
    });
}
CUresult cuStreamBeginCapture_v2(CUstream stream, int mode) {
    return call_on(stream, [&]() -> CUresult {
        if (stream->capture != CUstream_st::none) return spoil_capture(stream, kIllegalState);
        stream->capture = CUstream_st::active, stream->capture_mode = mode;
        stream->capturer = std::this_thread::get_id();
        return CUDA_SUCCESS;
    });
}
CUresult cuStreamEndCapture(CUstream stream, CUgraph* graph) {
    *graph = nullptr;
    return call_on(stream, [&]() -> CUresult {
        if (stream->capture == CUstream_st::none) return kIllegalState;
        if (stream->capture_mode != kCaptureRelaxed &&
            stream->capturer != std::this_thread::get_id())
            return spoil_capture(stream, kCaptureWrongThread);
        std::vector<Work> work = std::exchange(stream->captured, {});
        if (std::exchange(stream->capture, CUstream_st::none) == CUstream_st::invalidated)
            return kCaptureInvalidated;
        *graph = new CUgraph_st{std::move(work)};
        return CUDA_SUCCESS;
    });
}
CUresult cuGraphInstantiateWithFlags(CUgraphExec* exec, CUgraph graph, unsigned long long) {
    return call([&]() -> CUresult {
        if (!graph) return CUDA_ERROR_INVALID_VALUE;
        return *exec = new CUgraphExec_st{graph->work}, CUDA_SUCCESS;
    });
}
CUresult cuGraphLaunch(CUgraphExec exec, CUstream stream) {
    return call_on(stream, [&]() -> CUresult {
        for (const Work& work : exec->work)
            if (const CUresult status = queue(stream, work)) return status;
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
    return call([&] {
        *event = new CUevent_st;
        return (*event)->device = current.back()->device, CUDA_SUCCESS;
    });
}
CUresult cuEventDestroy_v2(CUevent event) {
    delete event;
    return CUDA_SUCCESS;
}
CUresult cuEventRecord(CUevent event, CUstream stream) {
    return call_on(stream, [&]() -> CUresult {
        if (event->device != stream->device) return kInvalidHandle;
        const bool captured = stream->capture == CUstream_st::active;
        auto record = event->last =
            std::make_shared<CUevent_st::Record>(CUevent_st::Record{false, stream, captured, 0});
        return queue(stream, [record] {
            record->seconds =
                std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
                    .count(),
            record->done = true;
        });
    });
}
CUresult cuEventSynchronize(CUevent event) {
    return call([&]() -> CUresult {
        const auto record = event->last;
        if (record->captured)
            return streams.count(record->stream) ? spoil_capture(record->stream, kCapturedEvent)
                                                 : kCapturedEvent;
        if (const CUresult refused = refuse_in_capture()) return refused;
        return record->wait(), CUDA_SUCCESS;
    });
}
CUresult cuEventElapsedTime(float* milliseconds, CUevent start, CUevent end) {
    return call([&]() -> CUresult {
        const auto &from = *start->last, &to = *end->last;
        if (start->device != end->device || !from.stream || !to.stream) return kInvalidHandle;
        if (!from.done || !to.done) return kNotReady;
        return *milliseconds = float((to.seconds - from.seconds) * 1e3), CUDA_SUCCESS;
    });
}

#pragma GCC visibility pop
}  // extern "C"
