// The kernels of kernels/catalogue.h as the host sees them: an identifier each, and what a launch
// needs to know.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/params.h"

namespace mirror::cuda {

enum class KernelId {
#define MIRROR_KERNEL(name, Params, threads, shared, architecture, tile) name,
#include "catalogue.h"
#undef MIRROR_KERNEL
    count
};

// A different address for every parameter struct: launch() compares them, so that no kernel gets
// another's.
template <class Params>
inline constexpr char params_tag = 0;

struct KernelInfo {
    const char* name;
    const char* params;
    const void* params_tag;
    size_t params_bytes;
    int threads;        // 0: chosen by the launcher
    int shared_memory;  // dynamic, bytes; -1: chosen by the launcher
    int architecture;   // lowest, e.g. 80; 90 means sm_90a
    const char* tile;
};

constexpr KernelInfo kKernels[] = {
#define MIRROR_KERNEL(name, Params, threads, shared, architecture, tile) \
    {#name, #Params, &params_tag<Params>, sizeof(Params), threads, shared, architecture, tile},
#include "catalogue.h"
#undef MIRROR_KERNEL
};

constexpr const KernelInfo& info(KernelId id) {
    return kKernels[static_cast<int>(id)];
}

}  // namespace mirror::cuda
