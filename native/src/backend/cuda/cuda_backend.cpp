#include "backend/cuda/cuda_backend.h"

#include <cstring>

#include "backend/cuda/choose.h"
#include "backend/cuda/pipeline.h"
#include "backend/cuda/store.h"
#include "base/log.h"

namespace mirror::cuda {

std::shared_ptr<Backend> make_backend(const GpuOptions& options) {
    return std::make_shared<CudaBackend>(options);
}

CudaBackend::CudaBackend(const GpuOptions& options) : gpu_(Gpu::open(options)) {
    if (const std::string shortfall = family_shortfall(gpu_->traits(), family());
        !shortfall.empty())
        log(MIRROR_LOG_WARNING, shortfall);
}

mirror_device_info CudaBackend::info() const {
    mirror_device_info info{};
    info.struct_size = sizeof info;
    info.kind = MIRROR_DEVICE_CUDA;
    info.precisions =
        1u << MIRROR_PRECISION_FP32 | 1u << MIRROR_PRECISION_BF16 | 1u << MIRROR_PRECISION_FP16;
    info.native_half = 1u << MIRROR_PRECISION_BF16 | 1u << MIRROR_PRECISION_FP16;
    info.memory_bytes = gpu_->memory_bytes();
    std::memcpy(
        info.name, gpu_->name().data(), std::min(gpu_->name().size(), sizeof info.name - 1));
    return info;
}

std::unique_ptr<Pipeline> CudaBackend::make_pipeline(PipelineSpec spec) {
    return cuda::make_pipeline(gpu_, std::move(spec));
}

std::unique_ptr<Store> CudaBackend::make_store(int regions, int dim, int32_t precision) {
    return cuda::make_store(gpu_, regions, dim, precision);
}

}  // namespace mirror::cuda
