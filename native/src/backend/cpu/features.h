// What the processor is and can do, asked from the processor itself (cpuid) and, where that is not
// possible, from nobody: unknown names stay "CPU", unknown sets stay absent.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mirror {

struct CpuFeature {
    const char* name;  // "avx2", ...
    bool present;
};

std::string cpu_name();
std::vector<CpuFeature> cpu_features();
bool cpu_has(const char* feature);  // one of cpu_features()
// Physical memory in bytes; 0 where the system does not tell.
uint64_t physical_memory();

}  // namespace mirror
