// Finds the CUDA driver, once per process.
#pragma once

#include <string>

#include "backend/cuda/cuda_api.h"

namespace mirror::cuda {

constexpr int kLowestArchitecture = 80;

struct DriverSearch {
    const Driver* driver = nullptr;  // null: absent or unusable
    std::string reason;  // then: what was looked for, what was found, what would be needed
};

// libcuda.so.1 (nvcuda.dll), or the library that MIRROR_CUDA_DRIVER names. Initialised when found.
const DriverSearch& find_driver();

// "12.4"
std::string version_text(int version);

}  // namespace mirror::cuda
