#include "backend/cuda/memory.h"

namespace mirror::cuda {

DeviceBuffer::DeviceBuffer(std::shared_ptr<const Gpu> gpu, size_t bytes) {
    reserve(gpu, bytes);
}

DeviceBuffer& DeviceBuffer::operator=(DeviceBuffer&& other) noexcept {
    std::swap(gpu_, other.gpu_);
    std::swap(address_, other.address_);
    std::swap(bytes_, other.bytes_);
    return *this;
}

void DeviceBuffer::reserve(const std::shared_ptr<const Gpu>& gpu, size_t bytes) {
    if (bytes <= bytes_) return;
    release();
    CUdeviceptr address = 0;
    MIRROR_CU(*gpu, cuMemAlloc_v2, &address, bytes);
    gpu_ = gpu, address_ = address, bytes_ = bytes;
}

void DeviceBuffer::release() noexcept {
    if (address_) {
        if (gpu_->push()) {
            gpu_->driver().cuMemFree_v2(address_);
            gpu_->pop();
        }
    }
    address_ = 0, bytes_ = 0;
    gpu_.reset();
}

void PinnedBuffer::reserve(const std::shared_ptr<const Gpu>& gpu, size_t bytes) {
    if (bytes <= bytes_) return;
    release();
    void* data = nullptr;
    const CUresult status = gpu->driver().cuMemAllocHost_v2(&data, bytes);
    if (status == CUDA_ERROR_OUT_OF_MEMORY)
        fail(MIRROR_E_OUT_OF_MEMORY,
             "cannot pin ",
             (bytes >> 20) + 1,
             " MiB of host memory for cuda:",
             gpu->ordinal(),
             ": use a smaller batch, or free or allow more host memory (ulimit -l)");
    gpu->check(status, "cuMemAllocHost");
    gpu_ = gpu, data_ = data, bytes_ = bytes;
}

void PinnedBuffer::release() noexcept {
    if (data_ && gpu_->push()) {
        gpu_->driver().cuMemFreeHost(data_);
        gpu_->pop();
    }
    data_ = nullptr, bytes_ = 0;
    gpu_.reset();
}

Event::Event(std::shared_ptr<const Gpu> gpu) : gpu_(std::move(gpu)) {
    MIRROR_CU(*gpu_, cuEventCreate, &event_, EVENT_DEFAULT);
}

Event::~Event() {
    if (!gpu_->push()) return;
    gpu_->driver().cuEventDestroy_v2(event_);
    gpu_->pop();
}

bool on_device(const Gpu& gpu, const void* pointer, size_t alignment) {
    const auto address = reinterpret_cast<CUdeviceptr>(pointer);
    // Of memory that CUDA does not know, the attributes are zero (asking for one alone would be an
    // error).
    constexpr int wanted[] = {POINTER_ATTRIBUTE_MEMORY_TYPE, POINTER_ATTRIBUTE_DEVICE_ORDINAL};
    int type = 0, owner = -1;
    void* values[] = {&type, &owner};
    MIRROR_CU(gpu, cuPointerGetAttributes, 2, wanted, values, address);
    if (type != MEMORY_TYPE_DEVICE) return false;
    require(owner == gpu.ordinal(),
            "a pointer is to memory of cuda:",
            owner,
            ", but the device is cuda:",
            gpu.ordinal(),
            ": use the device cuda:",
            owner,
            ", or copy the data to cuda:",
            gpu.ordinal(),
            " or the host");
    require(address % alignment == 0,
            "a pointer to device memory is ",
            pointer,
            ", expected a multiple of ",
            alignment,
            " bytes");
    return true;
}

}  // namespace mirror::cuda
