// Prints mirror_kernels.json: every kernel of the images with its parameter struct, tile, threads,
// shared memory and architectures, so that any CUDA host can load and launch single kernels.
#include <cstdio>
#include <string>

#include "backend/cuda/kernels.h"

using namespace mirror::cuda;

namespace {

// sm_90a code runs on compute capability 9.0 alone.
const char* architectures(int lowest) {
    return lowest == 90 ? "[\"sm_90a\"]" : "[\"sm_80\",\"sm_86\",\"sm_89\",\"sm_90a\"]";
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
            architectures(k.architecture),
            i + 1 < count ? "," : "");
    }
    std::printf("  ]\n}\n");
}
