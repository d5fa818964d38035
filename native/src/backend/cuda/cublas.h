// cuBLAS, found at run time: a second implementation that our products are checked and timed
// against (MIRROR_KERNELS=cublas). Declared by hand after the cuBLAS documentation; the calls are
// the same in 11, 12 and 13.
#pragma once

#include <memory>

#include "backend/cuda/gpu.h"

namespace mirror::cuda {

class Cublas {
  public:
    // NO_DEVICE naming the libraries tried: MIRROR_CUBLAS, else libcublas.so.13, .12, .11.
    explicit Cublas(std::shared_ptr<const Gpu> gpu);
    ~Cublas();
    Cublas(const Cublas&) = delete;

    // c [m, c_pitch] float, n columns = a [m, k] b [n, k]^T, row-major; a and b float, or f16 where
    // half.
    void multiply(bool half,
                  const void* a,
                  const void* b,
                  int64_t m,
                  int64_t n,
                  int64_t k,
                  float* c,
                  int64_t c_pitch) const;
    // c [dim, dim] += scale * x^T x of x [rows, dim] double: one triangle (row >= column of the
    // row-major result's transpose).
    void symmetric(const double* x, int64_t rows, int dim, double scale, double* c) const;

  private:
    struct Functions;
    void check(int status, const char* call) const;

    std::shared_ptr<const Gpu> gpu_;
    const Functions& functions_;
    void* handle_ = nullptr;
};

}  // namespace mirror::cuda
