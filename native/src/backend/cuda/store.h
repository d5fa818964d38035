// See store.cpp.
#pragma once

#include "backend/backend.h"
#include "backend/cuda/gpu.h"

namespace mirror::cuda {

// precision FP32 or FP16: how rows are kept and multiplied.
std::unique_ptr<Store> make_store(std::shared_ptr<const Gpu> gpu,
                                  int regions,
                                  int dim,
                                  int32_t precision);

}  // namespace mirror::cuda
