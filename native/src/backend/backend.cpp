// Chooses the backend behind a device name. This build has the CPU only; a name that asks for more
// is an error, never a silent fallback.
#include "backend/backend.h"

#include <omp.h>

#include <string_view>

#include "backend/cpu/cpu_backend.h"
#include "base/log.h"

namespace mirror {
namespace {

constexpr int kMaxThreads = 1024;

bool is_cuda(std::string_view name) {
    if (name == "cuda") return true;
    if (!name.starts_with("cuda:") || name.size() == 5) return false;
    return name.substr(5).find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

std::shared_ptr<Backend> make_backend(const char* name, int threads) {
    require(threads >= 0 && threads <= kMaxThreads,
            "threads is ",
            threads,
            ", expected 0 (all that the process may use) to ",
            kMaxThreads);
    const std::string_view wanted = name;
    if (is_cuda(wanted))
        fail(MIRROR_E_NO_DEVICE,
             "device ",
             wanted,
             ": this build of Mirror has no CUDA backend; use cpu or auto");
    require(wanted == "auto" || wanted == "cpu",
            "device is \"",
            wanted,
            "\", expected auto, cpu, cuda or cuda:N");
    // Respects the affinity mask of the process (taskset, containers).
    const int used = threads > 0 ? threads : omp_get_num_procs();
    if (wanted == "auto")
        log(MIRROR_LOG_INFO,
            text("device auto: cpu with ",
                 used,
                 " threads (this build of Mirror has no CUDA backend)"));
    return std::make_shared<CpuBackend>(used);
}

}  // namespace mirror
