#include "backend/cuda/driver.h"

#include <cstdlib>
#include <string_view>

#include "backend/cuda/images.h"
#include "base/error.h"
#include "base/library.h"

namespace mirror::cuda {
namespace {

#if defined(_WIN32)
constexpr const char* kLibrary = "nvcuda.dll";
#else
constexpr const char* kLibrary = "libcuda.so.1";
#endif

struct LowestDriver {
    int cuda;
    const char* release;
};

// PTX is compiled by every driver that knows graphs instantiated with flags and the bfloat16
// kernels; machine code of nvcc 12 is loaded by drivers of CUDA 12.
LowestDriver lowest_driver() {
    for (uint64_t i = 0; i < mirror_kernel_image_count; ++i)
        if (std::string_view(mirror_kernel_images[i].name) == "fatbin") return {12000, "525"};
    return {11040, "470"};
}

DriverSearch search() {
    const LowestDriver lowest = lowest_driver();
    static Driver driver;
    static std::string path;
    const char* chosen = std::getenv("MIRROR_CUDA_DRIVER");
    path = chosen && *chosen ? chosen : kLibrary;
    driver.library = path.c_str();
    const std::string looked =
        text("the CUDA driver library ", path, chosen && *chosen ? " (MIRROR_CUDA_DRIVER)" : "");
    std::string why;
    void* library = open_library(path, why);
    if (!library)
        return {nullptr,
                text(looked,
                     " was not found (",
                     why,
                     "): install the NVIDIA driver, version ",
                     lowest.release,
                     " or later")};
    const char* missing = nullptr;
    auto resolve = [&](auto& function, const char* name) {
        function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(
            library_symbol(library, name));
        return function != nullptr;
    };
#define MIRROR_REQUIRED(name, parameters) \
    if (!resolve(driver.name, #name) && !missing) missing = #name;
#define MIRROR_OPTIONAL(name, parameters) resolve(driver.name, #name);
    MIRROR_CUDA_DRIVER_FUNCTIONS(MIRROR_REQUIRED)
    MIRROR_CUDA_TENSOR_MAP_FUNCTIONS(MIRROR_OPTIONAL)
#undef MIRROR_REQUIRED
#undef MIRROR_OPTIONAL
    const std::string need = text(
        "CUDA ", version_text(lowest.cuda), " (driver ", lowest.release, ") or later is needed");
    if (missing) return {nullptr, text(looked, " has no ", missing, ": ", need)};
    if (driver.cuDriverGetVersion(&driver.version) == CUDA_SUCCESS && driver.version < lowest.cuda)
        return {nullptr, text(looked, " speaks CUDA ", version_text(driver.version), ": ", need)};
    if (const CUresult status = driver.cuInit(0); status != CUDA_SUCCESS) {
        const char* name = nullptr;
        driver.cuGetErrorName(status, &name);
        return {nullptr,
                text(looked,
                     " did not start: cuInit returned ",
                     name ? name : "an unknown error",
                     " (",
                     status,
                     ")",
                     status == CUDA_ERROR_NO_DEVICE ? "; no NVIDIA GPU is visible to this process"
                                                    : "")};
    }
    int count = 0;
    if (driver.cuDeviceGetCount(&count) != CUDA_SUCCESS || count == 0)
        return {nullptr,
                text(looked, " sees no GPU (CUDA_VISIBLE_DEVICES hides them, or there is none)")};
    return {&driver, ""};
}

}  // namespace

const DriverSearch& find_driver() {
    static const DriverSearch result = search();
    return result;
}

std::string version_text(int version) {
    return text(version / 1000, '.', version % 1000 / 10);
}

}  // namespace mirror::cuda
