#include "backend/cuda/gpu.h"

#include <cstdlib>

#include "backend/cuda/driver.h"
#include "backend/cuda/images.h"
#include "backend/cuda/nvtx.h"
#include "base/log.h"

namespace mirror::cuda {
namespace {

std::string error_text(const Driver& driver, CUresult status) {
    const char *name = nullptr, *words = nullptr;
    driver.cuGetErrorName(status, &name);
    driver.cuGetErrorString(status, &words);
    return text(
        name ? name : "unknown error", " (", status, words ? ": " : "", words ? words : "", ")");
}

// After these the context answers every call with an error: those of which the CUDA documentation
// says so, uncorrectable hardware errors, and what the driver itself cannot name.
bool spoils_context(CUresult status) {
    switch (status) {
        case CUDA_ERROR_DEINITIALIZED:
        case CUDA_ERROR_ECC_UNCORRECTABLE:
        case CUDA_ERROR_NVLINK_UNCORRECTABLE:
        case CUDA_ERROR_CONTAINED:
        case CUDA_ERROR_ILLEGAL_ADDRESS:
        case CUDA_ERROR_LAUNCH_TIMEOUT:
        case CUDA_ERROR_CONTEXT_IS_DESTROYED:
        case CUDA_ERROR_ASSERT:
        case CUDA_ERROR_TENSOR_MEMORY_LEAK:
        case CUDA_ERROR_MPS_CLIENT_TERMINATED:
        case CUDA_ERROR_EXTERNAL_DEVICE:
        case CUDA_ERROR_UNKNOWN:
            return true;
        default:  // illegal instructions, misaligned addresses and their like between the two
            return status >= CUDA_ERROR_HARDWARE_STACK_ERROR && status <= CUDA_ERROR_LAUNCH_FAILED;
    }
}

}  // namespace

std::shared_ptr<Gpu> Gpu::open(const GpuOptions& options) {
    const DriverSearch& found = find_driver();
    if (!found.driver)
        fail(MIRROR_E_NO_DEVICE,
             "device cuda:",
             options.ordinal,
             ": ",
             found.reason,
             "; or use --device cpu");
    return std::shared_ptr<Gpu>(new Gpu(*found.driver, options));
}

Gpu::Gpu(const Driver& driver, const GpuOptions& options)
    : driver_(driver), ordinal_(options.ordinal) {
    const char* sync = std::getenv("MIRROR_SYNC");
    synchronous_ = sync && std::string_view(sync) == "1";
    try {
        open_context(options);
        const Scope scope(*this);
        if (options.stream) {
            stream_ = static_cast<CUstream>(options.stream);
        } else {
            MIRROR_CU(*this, cuStreamCreate, &stream_, STREAM_NON_BLOCKING);
            owns_stream_ = true;
        }
        MIRROR_CU(*this, cuStreamCreate, &copy_stream_, STREAM_NON_BLOCKING);
        load_module();
    } catch (...) {
        close();
        throw;
    }
}

void Gpu::open_context(const GpuOptions& options) {
    int count = 0;
    check(driver_.cuDeviceGetCount(&count), "cuDeviceGetCount");
    if (options.context) {
        context_ = static_cast<CUcontext>(options.context);
        const Scope scope(*this);
        MIRROR_CU(*this, cuCtxGetDevice, &device_);
        for (ordinal_ = 0; ordinal_ < count; ++ordinal_) {
            CUdevice candidate = -1;
            if (driver_.cuDeviceGet(&candidate, ordinal_) == CUDA_SUCCESS && candidate == device_)
                break;
        }
    } else {
        if (ordinal_ < 0 || ordinal_ >= count)
            fail(MIRROR_E_NO_DEVICE,
                 "device cuda:",
                 ordinal_,
                 ": this machine has ",
                 count,
                 " GPU",
                 count == 1 ? "" : "s",
                 ", numbered from cuda:0");
        MIRROR_CU(*this, cuDeviceGet, &device_, ordinal_);
    }
    char name[128] = {};
    MIRROR_CU(*this, cuDeviceGetName, name, sizeof name, device_);
    name_ = name;
    int major = 0, minor = 0;
    MIRROR_CU(*this, cuDeviceGetAttribute, &major, ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device_);
    MIRROR_CU(*this, cuDeviceGetAttribute, &minor, ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device_);
    MIRROR_CU(*this,
              cuDeviceGetAttribute,
              &traits_.multiprocessors,
              ATTRIBUTE_MULTIPROCESSOR_COUNT,
              device_);
    MIRROR_CU(*this,
              cuDeviceGetAttribute,
              &traits_.shared_memory,
              ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN,
              device_);
    size_t bytes = 0;
    MIRROR_CU(*this, cuDeviceTotalMem_v2, &bytes, device_);
    memory_bytes_ = bytes;
    traits_.architecture = major * 10 + minor;
    if (traits_.architecture < kLowestArchitecture)
        fail(MIRROR_E_NO_DEVICE,
             "device cuda:",
             ordinal_,
             ": ",
             name_,
             " has compute capability ",
             major,
             '.',
             minor,
             ", 8.0 (Ampere) or later is needed");
    if (!context_) {
        MIRROR_CU(*this, cuDevicePrimaryCtxRetain, &context_, device_);
        owns_context_ = true;
    }
}

// The first image that the driver takes: images come newest architecture first.
void Gpu::load_module() {
    std::string tried;
    for (uint64_t i = 0; i < mirror_kernel_image_count; ++i) {
        const MirrorKernelImage& image = mirror_kernel_images[i];
        const CUresult status = driver_.cuModuleLoadData(&module_, image.data);
        if (status == CUDA_SUCCESS) {
            // A driver too old for the PTX of sm_90a took the image for sm_80.
            CUfunction probe = nullptr;
            traits_.hopper = traits_.architecture == 90 &&
                             driver_.cuModuleGetFunction(
                                 &probe, module_, "conv2d_wgmma_f16_128x64") == CUDA_SUCCESS;
            return;
        }
        module_ = nullptr;
        if (status == CUDA_ERROR_OUT_OF_MEMORY || spoils_context(status))
            check(status, "cuModuleLoadData");
        tried += text(tried.empty() ? "" : ", ", image.name, ": ", error_text(driver_, status));
    }
    fail(MIRROR_E_NO_DEVICE,
         "device cuda:",
         ordinal_,
         ": no kernel image of this build runs on ",
         name_,
         " (sm_",
         traits_.architecture,
         ", driver for CUDA ",
         version_text(driver_.version),
         "): ",
         tried);
}

Gpu::~Gpu() {
    close();
}

void Gpu::close() noexcept {
    // Failures are of no use here: the context goes away, or is already lost.
    if (context_ && push()) {
        if (owns_stream_ && stream_) driver_.cuStreamDestroy_v2(stream_);
        if (copy_stream_) driver_.cuStreamDestroy_v2(copy_stream_);
        if (module_) driver_.cuModuleUnload(module_);
        pop();
    }
    if (owns_context_) driver_.cuDevicePrimaryCtxRelease_v2(device_);
}

void Gpu::check(CUresult status, const char* call) const {
    if (status == CUDA_SUCCESS) return;
    const std::string reason = error_text(driver_, status);
    if (status == CUDA_ERROR_OUT_OF_MEMORY) {
        size_t available = 0, total = 0;
        driver_.cuMemGetInfo_v2(&available, &total);
        fail(MIRROR_E_OUT_OF_MEMORY,
             "cuda:",
             ordinal_,
             " is out of memory in ",
             call,
             ": ",
             available >> 20,
             " MiB of ",
             total >> 20,
             " MiB are free");
    }
    if (spoils_context(status)) {
        bool first = false;
        {
            const std::lock_guard lock(lock_);
            if (!lost_) {
                lost_reason_ = text(call, " returned ", reason);
                lost_ = first = true;  // the reason is not written again
            }
        }
        // The host's callback runs without the lock.
        if (first)
            log(MIRROR_LOG_WARNING,
                text("cuda:", ordinal_, " (", name_, ") is lost: ", lost_reason_));
    }
    fail(MIRROR_E_CUDA, "cuda:", ordinal_, ": ", call, " returned ", reason);
}

Gpu::Scope::Scope(const Gpu& gpu) : gpu_(gpu) {
    if (gpu.lost_)
        fail(MIRROR_E_DEVICE_LOST,
             "cuda:",
             gpu.ordinal_,
             " is lost, an earlier ",
             gpu.lost_reason_,
             "; destroy the device and create it again in a new process");
    gpu.check(gpu.driver_.cuCtxPushCurrent_v2(gpu.context_), "cuCtxPushCurrent");
}

Gpu::Scope::~Scope() {
    gpu_.pop();
}

CUfunction Gpu::function(KernelId id) const {
    {
        const std::lock_guard lock(lock_);
        if (const CUfunction known = functions_[static_cast<int>(id)]) return known;
    }
    const KernelInfo& kernel = info(id);
    CUfunction found;
    check(driver_.cuModuleGetFunction(&found, module_, kernel.name), kernel.name);
    MIRROR_CU(*this,
              cuFuncSetAttribute,
              found,
              FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
              kernel.shared_memory < 0 ? traits_.shared_memory : kernel.shared_memory);
    const std::lock_guard lock(lock_);
    return functions_[static_cast<int>(id)] = found;
}

namespace {

thread_local CUstream recording_stream = nullptr;

}  // namespace

Gpu::Recording::Recording(const Gpu& gpu) : gpu_(gpu) {
    MIRROR_CU(gpu_, cuStreamCreate, &stream_, STREAM_NON_BLOCKING);
    const CUresult status =
        gpu_.driver_.cuStreamBeginCapture_v2(stream_, STREAM_CAPTURE_MODE_THREAD_LOCAL);
    if (status != CUDA_SUCCESS) gpu_.driver_.cuStreamDestroy_v2(stream_);
    gpu_.check(status, "cuStreamBeginCapture");
    capturing_ = true;
    recording_stream = stream_;
}

CUgraph Gpu::Recording::end() {
    CUgraph graph = nullptr;
    recording_stream = nullptr;
    capturing_ = false;
    MIRROR_CU(gpu_, cuStreamEndCapture, stream_, &graph);
    return graph;
}

Gpu::Recording::~Recording() {
    if (capturing_) {  // given up: a stream must not stay in capture
        recording_stream = nullptr;
        CUgraph graph = nullptr;
        gpu_.driver_.cuStreamEndCapture(stream_, &graph);
        if (graph) gpu_.driver_.cuGraphDestroy(graph);
    }
    gpu_.driver_.cuStreamDestroy_v2(stream_);
}

void Gpu::launch_raw(KernelId id, const LaunchShape& shape, const void* params) const {
    const KernelInfo& kernel = info(id);
    if (shape.x == 0 || shape.y == 0 || shape.z == 0) return;
    const bool as_listed = (kernel.threads == 0 || kernel.threads == shape.threads) &&
                           (kernel.shared_memory < 0 || kernel.shared_memory == shape.shared);
    if (!as_listed || shape.x > 0x7fffffff || shape.y > 65535 || shape.z > 65535 ||
        shape.threads < 1 || shape.threads > 1024 || shape.shared < 0 ||
        shape.shared > traits_.shared_memory)
        fail(MIRROR_E_INTERNAL,
             "kernel ",
             kernel.name,
             " launched with a grid of ",
             shape.x,
             " x ",
             shape.y,
             " x ",
             shape.z,
             ", ",
             shape.threads,
             " threads and ",
             shape.shared,
             " bytes of shared memory");
    const NvtxRange range(kernel.name);
    const CUstream stream = recording_stream ? recording_stream : stream_;
    void* arguments[] = {const_cast<void*>(params)};
    check(driver_.cuLaunchKernel(function(id),
                                 static_cast<unsigned>(shape.x),
                                 static_cast<unsigned>(shape.y),
                                 static_cast<unsigned>(shape.z),
                                 static_cast<unsigned>(shape.threads),
                                 1,
                                 1,
                                 static_cast<unsigned>(shape.shared),
                                 stream,
                                 arguments,
                                 nullptr),
          kernel.name);
    if (synchronous_ && !recording_stream) check(driver_.cuStreamSynchronize(stream_), kernel.name);
}

void Gpu::synchronize() const {
    MIRROR_CU(*this, cuStreamSynchronize, stream_);
}

}  // namespace mirror::cuda
