// An emulated cuBLAS in the same library (MIRROR_CUBLAS points at it): the five functions that
// native/src/backend/cuda/cublas.cpp calls, by the cuBLAS documentation: column-major, in stream
// order, accumulating in double.
#include "common/ptx.cuh"
#include "driver_streams.hpp"

namespace {

struct Handle {
    CUstream_st* stream = nullptr;
};

enum { kSuccess = 0, kInvalidValue = 7, kNotSupported = 15 };
constexpr int kTransposed = 1, kFloatType = 0, kHalfType = 2;

double element(const void* matrix, int type, bool transposed, int pitch, int row, int column) {
    const int64_t at = transposed ? int64_t(row) * pitch + column : int64_t(column) * pitch + row;
    if (type == kHalfType) return simt::to_float(static_cast<const uint16_t*>(matrix)[at]);
    return static_cast<const float*>(matrix)[at];
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

int cublasCreate_v2(void** handle) {
    *handle = new Handle;
    return kSuccess;
}
int cublasDestroy_v2(void* handle) {
    delete static_cast<Handle*>(handle);
    return kSuccess;
}
int cublasSetStream_v2(void* handle, CUstream_st* stream) {
    static_cast<Handle*>(handle)->stream = stream;
    return kSuccess;
}

// c [m, n] = alpha * op(a) [m, k] * op(b) [k, n] + beta * c.
int cublasGemmEx(void* handle,
                 int transpose_a,
                 int transpose_b,
                 int m,
                 int n,
                 int k,
                 const void* alpha,
                 const void* a,
                 int a_type,
                 int a_pitch,
                 const void* b,
                 int b_type,
                 int b_pitch,
                 const void* beta,
                 void* c,
                 int c_type,
                 int c_pitch,
                 int,
                 int) {
    if (c_type != kFloatType || a_type != b_type || (a_type != kFloatType && a_type != kHalfType))
        return kNotSupported;
    if (c_pitch < m || a_pitch < (transpose_a == kTransposed ? k : m) ||
        b_pitch < (transpose_b == kTransposed ? n : k))
        return kInvalidValue;
    const float scale = *static_cast<const float*>(alpha), keep = *static_cast<const float*>(beta);
    simt_queue(static_cast<Handle*>(handle)->stream, [=] {
        float* out = static_cast<float*>(c);
        for (int column = 0; column < n; ++column)
            for (int row = 0; row < m; ++row) {
                double sum = 0;
                for (int i = 0; i < k; ++i)
                    sum += element(a, a_type, transpose_a == kTransposed, a_pitch, row, i) *
                           element(b, b_type, transpose_b == kTransposed, b_pitch, i, column);
                float& cell = out[int64_t(column) * c_pitch + row];
                cell = float(scale * sum + (keep != 0 ? double(keep) * cell : 0.0));
            }
    });
    return kSuccess;
}

// One triangle of c [n, n] = alpha * a a^T + beta * c, a [n, k]; uplo 1: rows <= columns.
int cublasDsyrk_v2(void* handle,
                   int uplo,
                   int transpose,
                   int n,
                   int k,
                   const double* alpha,
                   const double* a,
                   int a_pitch,
                   const double* beta,
                   double* c,
                   int c_pitch) {
    if (transpose == kTransposed || uplo != 1) return kNotSupported;
    if (a_pitch < n || c_pitch < n) return kInvalidValue;
    simt_queue(static_cast<Handle*>(handle)->stream, [=, scale = *alpha, keep = *beta] {
        for (int column = 0; column < n; ++column)
            for (int row = 0; row <= column; ++row) {
                double sum = 0;
                for (int i = 0; i < k; ++i)
                    sum += a[int64_t(i) * a_pitch + row] * a[int64_t(i) * a_pitch + column];
                double& cell = c[int64_t(column) * c_pitch + row];
                cell = scale * sum + keep * cell;
            }
    });
    return kSuccess;
}

}  // extern "C"
#pragma GCC visibility pop
