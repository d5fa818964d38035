// mirror_system_info: what this build is and what it found on this machine, as one JSON object.
#include <sstream>
#include <string>

#include "api/guard.h"
#include "base/json.h"
#if MIRROR_HAS_CPU
#include <cblas.h>
#include <omp.h>

#include <oneapi/dnnl/dnnl.hpp>

#include "backend/cpu/features.h"
#endif
#if MIRROR_HAS_CUDA
#include "backend/cuda/choose.h"
#include "backend/cuda/report.h"
#endif

namespace mirror {

const char* git_hash();  // library.cpp

namespace {

std::string compiler() {
#if defined(__clang__)
    return text("Clang ", __clang_major__, '.', __clang_minor__, '.', __clang_patchlevel__);
#elif defined(__GNUC__)
    return text("GCC ", __GNUC__, '.', __GNUC_MINOR__, '.', __GNUC_PATCHLEVEL__);
#elif defined(_MSC_VER)
    return text("MSVC ", _MSC_FULL_VER);
#else
    return "unknown";
#endif
}

std::string library(const std::string& name,
                    const std::string& version,
                    const std::string& detail) {
    return text("{\"name\":",
                json_quote(name),
                ",\"version\":",
                version.empty() ? "null" : json_quote(version),
                ",\"detail\":",
                json_quote(detail),
                "}");
}

#if MIRROR_HAS_CPU
std::string runtime_name(unsigned runtime) {
    switch (runtime) {
        case DNNL_RUNTIME_SEQ:
            return "sequential";
        case DNNL_RUNTIME_OMP:
            return "OpenMP";
        case DNNL_RUNTIME_TBB:
            return "TBB";
        case DNNL_RUNTIME_THREADPOOL:
            return "thread pool";
        default:
            return text("runtime ", runtime);
    }
}

std::string cpu_libraries() {
    const dnnl_version_t* onednn = dnnl_version();
    const std::string onednn_version = text(onednn->major, '.', onednn->minor, '.', onednn->patch);
    // "OpenBLAS 0.3.21 NO_AFFINITY USE_OPENMP Haswell MAX_THREADS=64"
    std::istringstream config(openblas_get_config());
    std::string word, blas_version;
    config >> word >> blas_version;
    const std::string blas = text(openblas_get_config(), "; kernels for ", openblas_get_corename());
    return library("oneDNN", onednn_version, runtime_name(onednn->cpu_runtime) + " threads") + "," +
           library("OpenBLAS", blas_version, blas) + "," +
           library("LAPACKE", blas_version, "the LAPACK interface installed with BLAS") + ",";
}

// "cpu", "cores", "memory_bytes", "instruction_sets"
std::string processor() {
    std::string sets;
    for (const CpuFeature& feature : cpu_features())
        if (feature.present) sets += text(sets.empty() ? "" : ",", json_quote(feature.name));
    return text("\"cpu\":",
                json_quote(cpu_name()),
                ",\"cores\":",
                omp_get_num_procs(),
                ",\"memory_bytes\":",
                physical_memory(),
                ",\"instruction_sets\":[",
                sets,
                "],");
}
constexpr const char* kCpuBackend = "\"cpu\"";
#else
std::string cpu_libraries() {
    return library("oneDNN", "", "not looked for: this build has no CPU backend") + ",";
}
std::string processor() {
    return "";
}
constexpr const char* kCpuBackend = "";
#endif

#if MIRROR_HAS_CUDA
std::string cuda_libraries() {
    return cuda::driver_json();
}
std::string cuda_fields() {
    return text(",\"gpus\":",
                cuda::gpus_json(),
                ",\"kernel_images\":",
                cuda::images_json(),
                ",\"kernels\":",
                cuda::kernels_json(),
                ",\"kernels_measured_on_hardware\":",
                cuda::kMeasuredOnHardware ? "true" : "false");
}
constexpr const char* kCudaBackend = MIRROR_HAS_CPU ? ",\"cuda\"" : "\"cuda\"";
#else
std::string cuda_libraries() {
    return library("CUDA driver", "", "not looked for: this build has no CUDA backend");
}
std::string cuda_fields() {
    return "";
}
constexpr const char* kCudaBackend = "";
#endif

std::string system_info() {
    return text("{\"version\":",
                json_quote(mirror_version()),
                ",\"git_hash\":",
                json_quote(git_hash()),
                ",\"compiler\":",
                json_quote(compiler()),
                ",",
                processor(),
                "\"libraries\":[",
                cpu_libraries(),
                cuda_libraries(),
                "],\"backends\":[",
                kCpuBackend,
                kCudaBackend,
                "]",
                cuda_fields(),
                "}");
}

}  // namespace
}  // namespace mirror

extern "C" mirror_status mirror_system_info(const char** out_json) {
    return mirror::guard([&] {
        const char*& out = mirror::checked(out_json, "out_json");
        static const std::string json = mirror::system_info();
        out = json.c_str();
    });
}
