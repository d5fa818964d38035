#include "backend/cpu/features.h"

#include <cstring>
#include <string_view>

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#endif
#if defined(_WIN32)
#include <windows.h>
#else
#include <unistd.h>
#endif

namespace mirror {

std::string cpu_name() {
#if defined(__x86_64__) && defined(__GNUC__)
    unsigned words[12] = {};
    if (__get_cpuid_max(0x80000000u, nullptr) >= 0x80000004u) {
        for (unsigned leaf = 0; leaf < 3; ++leaf)
            __get_cpuid(0x80000002u + leaf,
                        &words[4 * leaf],
                        &words[4 * leaf + 1],
                        &words[4 * leaf + 2],
                        &words[4 * leaf + 3]);
        char brand[sizeof words + 1] = {};
        std::memcpy(brand, words, sizeof words);
        std::string name = brand;
        const size_t first = name.find_first_not_of(' ');
        if (first != std::string::npos)
            return name.substr(first, name.find_last_not_of(' ') - first + 1);
    }
#endif
    return "CPU";
}

std::vector<CpuFeature> cpu_features() {
#if defined(__x86_64__) && defined(__GNUC__)
    // Also checks that the operating system saves the registers.
    __builtin_cpu_init();
#define MIRROR_FEATURE(name, compiler_name) \
    { name, __builtin_cpu_supports(compiler_name) != 0 }
    return {MIRROR_FEATURE("sse4.2", "sse4.2"),
            MIRROR_FEATURE("avx2", "avx2"),
            MIRROR_FEATURE("fma", "fma"),
            MIRROR_FEATURE("avx512f", "avx512f"),
            MIRROR_FEATURE("avx512bw", "avx512bw"),
            MIRROR_FEATURE("avx512_vnni", "avx512vnni"),
            MIRROR_FEATURE("avx512_bf16", "avx512bf16"),
            MIRROR_FEATURE("amx_bf16", "amx-bf16"),
            MIRROR_FEATURE("amx_int8", "amx-int8")};
#undef MIRROR_FEATURE
#else
    return {};
#endif
}

bool cpu_has(const char* feature) {
    for (const CpuFeature& known : cpu_features())
        if (std::string_view(known.name) == feature) return known.present;
    return false;
}

uint64_t physical_memory() {
#if defined(_WIN32)
    MEMORYSTATUSEX status{};
    status.dwLength = sizeof status;
    return GlobalMemoryStatusEx(&status) ? status.ullTotalPhys : 0;
#else
    const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGE_SIZE);
    return pages > 0 && size > 0 ? static_cast<uint64_t>(pages) * static_cast<uint64_t>(size) : 0;
#endif
}

}  // namespace mirror
