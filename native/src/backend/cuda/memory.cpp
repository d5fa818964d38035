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
    MIRROR_CU(*gpu, cuMemAllocHost_v2, &data, bytes);
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

}  // namespace mirror::cuda
