// mirror_system_info: what this build is and what it found on this machine, as one JSON object.
#include <cblas.h>
#include <omp.h>

#include <mutex>
#include <oneapi/dnnl/dnnl.hpp>
#include <sstream>
#include <string>

#include "api/guard.h"
#include "backend/cpu/features.h"
#include "base/json.h"

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

std::string libraries() {
    const dnnl_version_t* onednn = dnnl_version();
    const std::string onednn_version = text(onednn->major, '.', onednn->minor, '.', onednn->patch);
    // "OpenBLAS 0.3.21 NO_AFFINITY USE_OPENMP Haswell MAX_THREADS=64"
    std::istringstream config(openblas_get_config());
    std::string word, blas_version;
    config >> word >> blas_version;
    const std::string blas = text(openblas_get_config(), "; kernels for ", openblas_get_corename());
    return text("[",
                library("oneDNN", onednn_version, runtime_name(onednn->cpu_runtime) + " threads"),
                ",",
                library("OpenBLAS", blas_version, blas),
                ",",
                library("LAPACKE", blas_version, "the LAPACK interface installed with BLAS"),
                ",",
                library("CUDA driver", "", "not looked for: this build has no CUDA backend"),
                "]");
}

std::string instruction_sets() {
    std::string list;
    for (const CpuFeature& feature : cpu_features())
        if (feature.present) list += text(list.empty() ? "" : ",", json_quote(feature.name));
    return text("[", list, "]");
}

std::string system_info() {
    return text("{\"version\":",
                json_quote(mirror_version()),
                ",\"git_hash\":",
                json_quote(git_hash()),
                ",\"compiler\":",
                json_quote(compiler()),
                ",\"cpu\":",
                json_quote(cpu_name()),
                ",\"cores\":",
                omp_get_num_procs(),
                ",\"memory_bytes\":",
                physical_memory(),
                ",\"instruction_sets\":",
                instruction_sets(),
                ",\"libraries\":",
                libraries(),
                ",\"backends\":[\"cpu\"]}");
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
