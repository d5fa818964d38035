#include "backend/cuda/cublas.h"

#include <cstdlib>

#include "base/library.h"

namespace mirror::cuda {
namespace {

constexpr int kTranspose = 1, kNoTranspose = 0;
constexpr int kFloat = 0, kHalf = 2;   // cudaDataType
constexpr int kComputeFloat = 68;      // CUBLAS_COMPUTE_32F: never TF32 in the default math mode
constexpr int kDefaultAlgorithm = -1;  // CUBLAS_GEMM_DEFAULT
constexpr int kUpper = 1;  // of the column-major matrix: the lower triangle of the row-major one

}  // namespace

struct Cublas::Functions {
    int (*create)(void**) = nullptr;
    int (*destroy)(void*) = nullptr;
    int (*set_stream)(void*, CUstream) = nullptr;
    int (*gemm)(void*,
                int,
                int,
                int,
                int,
                int,
                const void*,
                const void*,
                int,
                int,
                const void*,
                int,
                int,
                const void*,
                void*,
                int,
                int,
                int,
                int) = nullptr;
    int (*dsyrk)(
        void*, int, int, int, int, const double*, const double*, int, const double*, double*, int) =
        nullptr;

    static const Functions& get() {
        static const Functions functions;
        return functions;
    }

  private:
    Functions() {
        const char* chosen = std::getenv("MIRROR_CUBLAS");
#if defined(_WIN32)
        const char* usual[] = {"cublas64_13.dll", "cublas64_12.dll", "cublas64_11.dll"};
#else
        const char* usual[] = {"libcublas.so.13", "libcublas.so.12", "libcublas.so.11"};
#endif
        std::string tried;
        auto attempt = [&](const char* path) {
            std::string why;
            void* library = open_library(path, why);
            if (!library) {
                tried += text(tried.empty() ? "" : "; ", path, ": ", why);
                return false;
            }
            auto resolve = [&](auto& function, const char* name) {
                function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(
                    library_symbol(library, name));
                if (!function) tried += text(tried.empty() ? "" : "; ", path, " has no ", name);
                return function != nullptr;
            };
            return resolve(create, "cublasCreate_v2") && resolve(destroy, "cublasDestroy_v2") &&
                   resolve(set_stream, "cublasSetStream_v2") && resolve(gemm, "cublasGemmEx") &&
                   resolve(dsyrk, "cublasDsyrk_v2");
        };
        if (chosen && *chosen) {
            if (attempt(chosen)) return;
        } else {
            for (const char* path : usual)
                if (attempt(path)) return;
        }
        fail(MIRROR_E_NO_DEVICE,
             "MIRROR_KERNELS=cublas: no usable cuBLAS 11, 12 or 13 (",
             tried,
             "); name its library in MIRROR_CUBLAS, or unset MIRROR_KERNELS");
    }
};

Cublas::Cublas(std::shared_ptr<const Gpu> gpu)
    : gpu_(std::move(gpu)), functions_(Functions::get()) {
    check(functions_.create(&handle_), "cublasCreate");
    if (const int status = functions_.set_stream(handle_, gpu_->stream()); status != 0) {
        functions_.destroy(handle_);
        check(status, "cublasSetStream");
    }
}

Cublas::~Cublas() {
    if (!gpu_->push()) return;
    functions_.destroy(handle_);
    gpu_->pop();
}

void Cublas::check(int status, const char* call) const {
    constexpr int kAllocationFailed = 3;
    if (status == kAllocationFailed)
        fail(MIRROR_E_OUT_OF_MEMORY, "cuda:", gpu_->ordinal(), " is out of memory in ", call);
    if (status != 0)
        fail(MIRROR_E_CUDA,
             "cuda:",
             gpu_->ordinal(),
             ": ",
             call,
             " returned cuBLAS status ",
             status);
}

// A row-major matrix is the transpose of a column-major one: c^T [n, m] = b [n, k] a^T [k, m].
void Cublas::multiply(bool half,
                      const void* a,
                      const void* b,
                      int64_t m,
                      int64_t n,
                      int64_t k,
                      float* c,
                      int64_t c_pitch) const {
    const float one = 1, zero = 0;
    const int type = half ? kHalf : kFloat, depth = static_cast<int>(k);
    check(functions_.gemm(handle_,
                          kTranspose,
                          kNoTranspose,
                          static_cast<int>(n),
                          static_cast<int>(m),
                          depth,
                          &one,
                          b,
                          type,
                          depth,
                          a,
                          type,
                          depth,
                          &zero,
                          c,
                          kFloat,
                          static_cast<int>(c_pitch),
                          kComputeFloat,
                          kDefaultAlgorithm),
          "cublasGemmEx");
}

void Cublas::symmetric(const double* x, int64_t rows, int dim, double scale, double* c) const {
    const double one = 1;
    check(functions_.dsyrk(handle_,
                           kUpper,
                           kNoTranspose,
                           dim,
                           static_cast<int>(rows),
                           &scale,
                           x,
                           dim,
                           &one,
                           c,
                           dim),
          "cublasDsyrk");
}

}  // namespace mirror::cuda
