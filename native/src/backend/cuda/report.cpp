#include "backend/cuda/report.h"

#include "backend/cuda/choose.h"
#include "backend/cuda/driver.h"
#include "backend/cuda/images.h"
#include "base/error.h"
#include "base/json.h"

namespace mirror::cuda {
namespace {

int attribute(const Driver& driver, CUdevice device, int which) {
    int value = 0;
    return driver.cuDeviceGetAttribute(&value, which, device) == CUDA_SUCCESS ? value : 0;
}

std::string gpu_json(const Driver& driver, int ordinal) {
    CUdevice device = 0;
    char name[128] = {};
    size_t bytes = 0;
    if (driver.cuDeviceGet(&device, ordinal) != CUDA_SUCCESS ||
        driver.cuDeviceGetName(name, sizeof name, device) != CUDA_SUCCESS ||
        driver.cuDeviceTotalMem_v2(&bytes, device) != CUDA_SUCCESS)
        return text("{\"device\":\"cuda:", ordinal, "\",\"name\":null}");
    return text("{\"device\":\"cuda:",
                ordinal,
                "\",\"name\":",
                json_quote(name),
                ",\"compute_capability\":\"",
                attribute(driver, device, ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR),
                '.',
                attribute(driver, device, ATTRIBUTE_COMPUTE_CAPABILITY_MINOR),
                "\",\"multiprocessors\":",
                attribute(driver, device, ATTRIBUTE_MULTIPROCESSOR_COUNT),
                ",\"memory_bytes\":",
                bytes,
                "}");
}

template <class Range, class Body>
std::string list(const Range& range, Body&& body) {
    std::string result;
    for (const auto& item : range) result += (result.empty() ? "" : ",") + body(item);
    return "[" + result + "]";
}

}  // namespace

std::string driver_json() {
    const DriverSearch& found = find_driver();
    const std::string version =
        found.driver ? json_quote(version_text(found.driver->version)) : "null";
    return text("{\"name\":\"CUDA driver\",\"version\":",
                version,
                ",\"detail\":",
                json_quote(found.driver ? found.driver->library : found.reason),
                "}");
}

std::string gpus_json() {
    const DriverSearch& found = find_driver();
    int count = 0;
    if (!found.driver || found.driver->cuDeviceGetCount(&count) != CUDA_SUCCESS) return "[]";
    std::vector<int> ordinals;
    for (int i = 0; i < count; ++i) ordinals.push_back(i);
    return list(ordinals, [&](int ordinal) { return gpu_json(*found.driver, ordinal); });
}

std::string kernels_json() {
    // The tile depends on the number of multiprocessors too: these are A100, RTX 3090, RTX 4090 and
    // H100.
    constexpr GpuTraits architectures[] = {
        {80, 108, 163 << 10}, {86, 82, 99 << 10}, {89, 128, 99 << 10}, {90, 132, 227 << 10, true}};
    return list(architectures, [](const GpuTraits& gpu) { return choices_json(gpu, family()); });
}

std::string images_json() {
    std::vector<std::string> names;
    for (uint64_t i = 0; i < mirror_kernel_image_count; ++i)
        names.push_back(json_quote(mirror_kernel_images[i].name));
    return list(names, [](const std::string& name) { return name; });
}

}  // namespace mirror::cuda
