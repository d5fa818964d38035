// What decides which kernels a GPU can run and which tile suits it.
#pragma once

#include "backend/cuda/kernels.h"

namespace mirror::cuda {

struct GpuTraits {
    int architecture = 0;  // 80, 86, 89, 90, ...
    int multiprocessors = 0;
    int shared_memory = 0;  // bytes that one block may have
    // The loaded image has the code for sm_90a, which compute capability 9.0 alone runs.
    bool hopper = false;

    bool runs(KernelId id) const {
        const KernelInfo& kernel = info(id);
        const bool compiled =
            kernel.architecture == 90 ? hopper : architecture >= kernel.architecture;
        return compiled && kernel.shared_memory <= shared_memory;
    }
};

}  // namespace mirror::cuda
