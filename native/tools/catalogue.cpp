// Prints mirror_kernels.json: every kernel of the images with its parameter struct, tile, threads,
// shared memory and architectures, so that any CUDA host can load and launch single kernels.
#include <cstdio>
#include <string>

#include "backend/cuda/kernels.h"

using namespace mirror::cuda;

namespace {

// sm_90a code runs on compute capability 9.0 alone; a block of sm_86 and sm_89 has less shared
// memory than one of sm_80.
std::string architectures(const KernelInfo& kernel) {
    constexpr int kSmallShared = 99 << 10;
    if (kernel.architecture == 90) return "[\"sm_90a\"]";
    if (kernel.shared_memory > kSmallShared) return "[\"sm_80\",\"sm_90a\"]";
    return "[\"sm_80\",\"sm_86\",\"sm_89\",\"sm_90a\"]";
}

}  // namespace

int main() {
    std::printf("{\n  \"parameters\": \"kernels/common/params.h\",\n  \"kernels\": [\n");
    constexpr int count = static_cast<int>(KernelId::count);
    for (int i = 0; i < count; ++i) {
        const KernelInfo& k = kKernels[i];
        std::printf(
            "    {\"name\": \"%s\", \"params\": \"%s\", \"params_bytes\": %zu, \"tile\": \"%s\", "
            "\"threads\": %d, "
            "\"shared_memory\": %d, \"min_arch\": %d, \"architectures\": %s}%s\n",
            k.name,
            k.params,
            k.params_bytes,
            k.tile,
            k.threads,
            k.shared_memory,
            k.architecture,
            architectures(k).c_str(),
            i + 1 < count ? "," : "");
    }
    std::printf("  ]\n}\n");
}
