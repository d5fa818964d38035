// See pipeline.cpp.
#pragma once

#include "backend/backend.h"
#include "backend/cuda/gpu.h"

namespace mirror::cuda {

std::unique_ptr<Pipeline> make_pipeline(std::shared_ptr<const Gpu> gpu, PipelineSpec spec);

}  // namespace mirror::cuda
