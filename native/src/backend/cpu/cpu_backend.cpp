#include "backend/cpu/cpu_backend.h"

#include <omp.h>

#include <algorithm>
#include <cstring>
#include <oneapi/dnnl/dnnl.hpp>

#include "backend/cpu/features.h"

namespace mirror {

CpuBackend::CpuBackend(int threads) : threads_(threads) {}

mirror_device_info CpuBackend::info() const {
    mirror_device_info info{};
    info.struct_size = sizeof info;
    info.kind = MIRROR_DEVICE_CPU;
    info.threads = threads_;
    info.precisions = 1u << MIRROR_PRECISION_FP32;
    // oneDNN multiplies bfloat16 from AVX-512 on, natively only with AVX512_BF16 or AMX.
    const auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
    const auto avx512 = static_cast<unsigned>(dnnl::cpu_isa::avx512_core);
    if ((isa & avx512) == avx512) info.precisions |= 1u << MIRROR_PRECISION_BF16;
    if ((info.precisions & (1u << MIRROR_PRECISION_BF16)) &&
        (cpu_has("avx512_bf16") || cpu_has("amx_bf16")))
        info.native_half = 1u << MIRROR_PRECISION_BF16;
    info.memory_bytes = physical_memory();
    const std::string name = cpu_name();
    std::memcpy(info.name, name.data(), std::min(name.size(), sizeof info.name - 1));
    return info;
}

ThreadScope::ThreadScope(int threads) : previous_(omp_get_max_threads()) {
    if (threads > 0) omp_set_num_threads(threads);
}

ThreadScope::~ThreadScope() {
    omp_set_num_threads(previous_);
}

}  // namespace mirror
