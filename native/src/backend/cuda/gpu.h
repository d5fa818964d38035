// One GPU as this library uses it: a context (the device's primary one, or a host's own), the
// module with our kernels, two streams, and the one place where errors are told apart and kernels
// are launched. Shared by the backend and everything it made, so that any order of destruction is
// safe.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "backend/cuda/cuda_api.h"
#include "backend/cuda/traits.h"
#include "base/error.h"
#include "common/launch.h"

namespace mirror::cuda {

struct GpuOptions {
    int ordinal = 0;
    void* context =
        nullptr;  // a host's CUcontext: used, not owned; its device counts, not `ordinal`
    void* stream = nullptr;  // a host's CUstream for the computation
};

class Gpu {
  public:
    // NO_DEVICE naming what was found and what would be needed.
    static std::shared_ptr<Gpu> open(const GpuOptions& options);
    ~Gpu();
    Gpu(const Gpu&) = delete;

    const Driver& driver() const { return driver_; }
    int ordinal() const { return ordinal_; }
    const GpuTraits& traits() const { return traits_; }
    uint64_t memory_bytes() const { return memory_bytes_; }
    const std::string& name() const { return name_; }
    CUstream stream() const { return stream_; }            // computes
    CUstream copy_stream() const { return copy_stream_; }  // uploads

    // Throws unless status is success: OUT_OF_MEMORY, CUDA, or DEVICE_LOST once a failure has
    // spoilt the context.
    void check(CUresult status, const char* call) const;

    // Makes the context current on this thread while it lives; DEVICE_LOST where it is spoilt.
    class Scope {
      public:
        explicit Scope(const Gpu& gpu);
        ~Scope();
        Scope(const Scope&) = delete;

      private:
        const Gpu& gpu_;
    };

    // For destructors: makes the context current without complaint; false where that fails.
    bool push() const noexcept { return driver_.cuCtxPushCurrent_v2(context_) == CUDA_SUCCESS; }
    void pop() const noexcept {
        CUcontext popped;
        driver_.cuCtxPopCurrent_v2(&popped);
    }

    // Queued on stream(); nothing is done for an empty grid.
    template <class Params>
    void launch(KernelId id, const LaunchShape& shape, const Params& params) const {
        if (info(id).params_tag != &params_tag<Params>)
            fail(MIRROR_E_INTERNAL, "kernel ", info(id).name, " takes ", info(id).params);
        launch_raw(id, shape, &params);
    }

    void synchronize() const;

    // While it lives, this thread's launches go to a stream of their own that is being
    // captured: what other threads queue on stream() meanwhile is none of the recording's business,
    // nor the other way round.
    class Recording {
      public:
        explicit Recording(const Gpu& gpu);
        ~Recording();
        Recording(const Recording&) = delete;
        CUgraph end();  // the caller's to destroy

      private:
        const Gpu& gpu_;
        CUstream stream_ = nullptr;
        bool capturing_ = false;
    };

    // While it lives, the context is not current: for calls of the host's own code.
    class Pause {
      public:
        explicit Pause(const Gpu& gpu) : gpu_(gpu) { gpu.pop(); }
        ~Pause() { gpu_.push(); }
        Pause(const Pause&) = delete;

      private:
        const Gpu& gpu_;
    };

  private:
    Gpu(const Driver& driver, const GpuOptions& options);
    void open_context(const GpuOptions& options);
    void load_module();
    void close() noexcept;
    void launch_raw(KernelId id, const LaunchShape& shape, const void* params) const;
    CUfunction function(KernelId id) const;

    const Driver& driver_;
    int ordinal_ = 0;
    GpuTraits traits_;
    uint64_t memory_bytes_ = 0;
    std::string name_;
    bool synchronous_ = false;  // MIRROR_SYNC=1
    CUdevice device_ = 0;
    CUcontext context_ = nullptr;
    bool owns_context_ = false, owns_stream_ = false;
    CUmodule module_ = nullptr;
    CUstream stream_ = nullptr, copy_stream_ = nullptr;
    mutable std::mutex lock_;  // of the two below and lost_reason_
    mutable CUfunction functions_[static_cast<int>(KernelId::count)] = {};
    mutable std::atomic<bool> lost_ = false;
    mutable std::string lost_reason_;
};

// NAME(...) of the driver, checked: MIRROR_CU(gpu, cuMemAlloc_v2, &p, bytes)
#define MIRROR_CU(gpu, name, ...) (gpu).check((gpu).driver().name(__VA_ARGS__), #name)

}  // namespace mirror::cuda
