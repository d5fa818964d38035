// Owners of device memory, pinned host memory and events. All of them keep their Gpu alive and free
// themselves in its context.
#pragma once

#include <memory>
#include <utility>

#include "backend/cuda/gpu.h"

namespace mirror::cuda {

class DeviceBuffer {
  public:
    DeviceBuffer() = default;
    DeviceBuffer(std::shared_ptr<const Gpu> gpu, size_t bytes);
    ~DeviceBuffer() { release(); }
    DeviceBuffer(DeviceBuffer&& other) noexcept { *this = std::move(other); }
    DeviceBuffer& operator=(DeviceBuffer&& other) noexcept;

    // At least `bytes`; the contents are lost when it grows.
    void reserve(const std::shared_ptr<const Gpu>& gpu, size_t bytes);
    CUdeviceptr address() const { return address_; }
    size_t bytes() const { return bytes_; }
    template <class T = void>
    T* as(int64_t offset_bytes = 0) const {
        return reinterpret_cast<T*>(address_ + static_cast<CUdeviceptr>(offset_bytes));
    }

  private:
    void release() noexcept;
    std::shared_ptr<const Gpu> gpu_;
    CUdeviceptr address_ = 0;
    size_t bytes_ = 0;
};

class PinnedBuffer {
  public:
    PinnedBuffer() = default;
    ~PinnedBuffer() { release(); }
    PinnedBuffer(const PinnedBuffer&) = delete;
    void reserve(const std::shared_ptr<const Gpu>& gpu, size_t bytes);
    template <class T = std::byte>
    T* as() const {
        return static_cast<T*>(data_);
    }

  private:
    void release() noexcept;
    std::shared_ptr<const Gpu> gpu_;
    void* data_ = nullptr;
    size_t bytes_ = 0;
};

class Event {
  public:
    explicit Event(std::shared_ptr<const Gpu> gpu);
    ~Event();
    Event(const Event&) = delete;
    void record(CUstream stream) const { MIRROR_CU(*gpu_, cuEventRecord, event_, stream); }
    void wait() const { MIRROR_CU(*gpu_, cuEventSynchronize, event_); }
    void hold(CUstream stream) const { MIRROR_CU(*gpu_, cuStreamWaitEvent, stream, event_, 0); }
    CUevent handle() const { return event_; }

  private:
    std::shared_ptr<const Gpu> gpu_;
    CUevent event_ = nullptr;
};

// Copies between any two of host and device memory (unified addressing tells which), in order with
// `stream`. Host memory must stay as it is until the stream has been synchronised.
inline void copy(const Gpu& gpu, void* to, const void* from, size_t bytes, CUstream stream) {
    if (bytes)
        MIRROR_CU(gpu,
                  cuMemcpyAsync,
                  reinterpret_cast<CUdeviceptr>(to),
                  reinterpret_cast<CUdeviceptr>(from),
                  bytes,
                  stream);
}

// A buffer with these bytes, which may go away afterwards.
inline DeviceBuffer upload(const std::shared_ptr<const Gpu>& gpu, const void* data, size_t bytes) {
    DeviceBuffer buffer(gpu, bytes);
    copy(*gpu, buffer.as<>(), data, bytes, gpu->stream());
    gpu->synchronize();
    return buffer;
}

// Whether the pointer lies in this GPU's memory. INVALID_ARGUMENT where that is not a multiple of
// the alignment, and for memory of another GPU.
bool on_device(const Gpu& gpu, const void* pointer, size_t alignment = 1);
inline bool on_device(const Gpu& gpu, const float* pointer) {
    return on_device(gpu, pointer, alignof(float));
}

}  // namespace mirror::cuda
