// The CUDA backend: the operations of backend.h on one GPU. Arguments may lie in host or device
// memory.
#pragma once

#include "backend/backend.h"
#include "backend/cuda/gpu.h"

namespace mirror::cuda {

std::shared_ptr<Backend> make_backend(const GpuOptions& options);

}  // namespace mirror::cuda
