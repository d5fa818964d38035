// Chooses the backend behind a device name. A name that asks for more than this build or machine
// has is an error, never a silent fallback; "auto" says in one line what it took and why.
#include "backend/backend.h"

#include <charconv>
#include <string_view>
#include <thread>

#include "backend/multi.h"
#include "base/log.h"
#if MIRROR_HAS_CPU
#include <omp.h>

#include "backend/cpu/cpu_backend.h"
#endif
#if MIRROR_HAS_CUDA
#include "backend/cuda/choose.h"
#include "backend/cuda/cuda_backend.h"
#include "backend/cuda/driver.h"
#endif

namespace mirror {
namespace {

constexpr int kMaxThreads = 1024;
constexpr size_t kMaxDevices = 64;

// "cuda" -> {0}, "cuda:2" -> {2}, "cuda:0,1" -> {0, 1}; empty where it is none of them.
std::vector<int> cuda_ordinals(std::string_view name) {
    if (name == "cuda") return {0};
    if (!name.starts_with("cuda:")) return {};
    std::vector<int> result;
    const char *at = name.data() + 5, *end = name.data() + name.size();
    for (;;) {
        int ordinal = 0;
        const auto [next, error] = std::from_chars(at, end, ordinal);
        if (error != std::errc() || ordinal < 0 || result.size() == kMaxDevices) return {};
        for (int earlier : result)
            require(earlier != ordinal,
                    "device is \"",
                    name,
                    "\", which names cuda:",
                    ordinal,
                    " twice");
        result.push_back(ordinal);
        if (next == end) return result;
        if (*next != ',') return {};
        at = next + 1;
    }
}

std::shared_ptr<Backend> make_cpu(int threads) {
#if MIRROR_HAS_CPU
    // Respects the affinity mask of the process (taskset, containers).
    return std::make_shared<CpuBackend>(threads > 0 ? threads : omp_get_num_procs());
#else
    (void)threads;
    fail(MIRROR_E_NO_DEVICE,
         "device cpu: this build of Mirror has no CPU backend (MIRROR_CPU=OFF); use cuda");
#endif
}

#if MIRROR_HAS_CUDA
std::string why_not_cuda() {
    const cuda::DriverSearch& found = cuda::find_driver();
    if (!found.driver) return found.reason;
    // A kernel that has not run on hardware is no default.
    if (!cuda::kMeasuredOnHardware)
        return "a GPU is present, but this version's kernels have not been measured on one: choose "
               "--device cuda to use it";
    return "";
}
#else
std::string why_not_cuda() {
    return "this build of Mirror has no CUDA backend (MIRROR_CUDA=OFF)";
}
#endif

std::shared_ptr<Backend> make_auto(int threads) {
    std::string reason = why_not_cuda();
    if (reason.empty()) {
        try {
            const auto backend = make_cuda_backend(0, nullptr, nullptr);
            log(MIRROR_LOG_INFO, text("device auto: cuda:0, ", backend->info().name));
            return backend;
        } catch (const Error& error) {
            if (error.status() != MIRROR_E_NO_DEVICE) throw;
            reason = error.what();  // too old, or not for this build's kernels
        }
    }
    const auto backend = make_cpu(threads);
    log(MIRROR_LOG_INFO,
        text("device auto: cpu with ", backend->info().threads, " threads (", reason, ")"));
    return backend;
}

}  // namespace

std::shared_ptr<Backend> make_backend(const char* name, int threads) {
    require(threads >= 0 && threads <= kMaxThreads,
            "threads is ",
            threads,
            ", expected 0 (all that the process may use) to ",
            kMaxThreads);
    const std::string_view wanted = name;
    if (wanted == "cpu") return make_cpu(threads);
    if (wanted == "auto") return make_auto(threads);
    const std::vector<int> ordinals = cuda_ordinals(wanted);
    require(!ordinals.empty(),
            "device is \"",
            wanted,
            "\", expected auto, cpu, cuda, cuda:N or cuda:N,M,...");
    std::vector<std::shared_ptr<Backend>> devices;
    for (int ordinal : ordinals) devices.push_back(make_cuda_backend(ordinal, nullptr, nullptr));
    return devices.size() == 1 ? devices[0] : make_multi_backend(std::move(devices));
}

#if MIRROR_HAS_CUDA
std::shared_ptr<Backend> make_cuda_backend(int ordinal, void* context, void* stream) {
    require(!stream || context,
            "options.stream is given without options.context, which it belongs to");
    // CU_STREAM_LEGACY and CU_STREAM_PER_THREAD: names for a thread's streams, not streams.
    const auto handle = reinterpret_cast<uintptr_t>(stream);
    require(handle != 1 && handle != 2,
            "options.stream is ",
            handle,
            handle == 1 ? " (the legacy default stream)" : " (the per-thread default stream)",
            ", expected one that cuStreamCreate made, or NULL for one of our own");
    return cuda::make_backend({ordinal, context, stream});
}
#else
std::shared_ptr<Backend> make_cuda_backend(int ordinal, void*, void*) {
    fail(MIRROR_E_NO_DEVICE,
         "device cuda:",
         ordinal,
         ": this build of Mirror has no CUDA backend (MIRROR_CUDA=OFF); use --device "
         "cpu");
}
#endif

}  // namespace mirror
