// The plain GEMM, yardstick of the benchmarks: whatever the backend builds on GEMMs is compared
// with this. fp32 is oneDNN's sgemm. bf16 converts both operands, multiplies, and accumulates in
// float32; the conversion is part of the call (m*k + n*k elements against m*n*k products), nothing
// is cached.
#include <oneapi/dnnl/dnnl.hpp>

#include "backend/cpu/cpu_backend.h"

namespace mirror {
namespace {

using dnnl::memory;

void gemm_bf16(const float* a, const float* b, int64_t m, int64_t n, int64_t k, float* c) {
    const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    dnnl::stream stream(engine);
    const auto any = memory::format_tag::any;
    const memory::desc a_float({m, k}, memory::data_type::f32, memory::format_tag::ab);
    const memory::desc b_float({k, n}, memory::data_type::f32, memory::format_tag::ba);
    const memory::desc c_float({m, n}, memory::data_type::f32, memory::format_tag::ab);
    const dnnl::matmul::desc desc({{m, k}, memory::data_type::bf16, memory::format_tag::ab},
                                  {{k, n}, memory::data_type::bf16, any},
                                  c_float);
    const dnnl::matmul::primitive_desc primitive(desc, engine);
    // oneDNN's interface takes void*; it only reads the operands.
    memory a_source(a_float, engine, const_cast<float*>(a)),
        b_source(b_float, engine, const_cast<float*>(b));
    memory a_half(primitive.src_desc(), engine), b_half(primitive.weights_desc(), engine);
    dnnl::reorder(a_source, a_half).execute(stream, a_source, a_half);
    dnnl::reorder(b_source, b_half).execute(stream, b_source, b_half);
    memory result(c_float, engine, c);
    dnnl::matmul(primitive).execute(
        stream, {{DNNL_ARG_SRC, a_half}, {DNNL_ARG_WEIGHTS, b_half}, {DNNL_ARG_DST, result}});
    stream.wait();
}

}  // namespace

void CpuBackend::gemm(
    const float* a, const float* b, int64_t m, int64_t n, int64_t k, int32_t precision, float* c) {
    const ThreadScope scope(threads_);
    if (m == 0 || n == 0) return;
    if (precision == MIRROR_PRECISION_BF16) return gemm_bf16(a, b, m, n, k, c);
    const dnnl_status_t status = dnnl_sgemm('N', 'T', m, n, k, 1.0f, a, k, b, k, 0.0f, c, n);
    if (status == dnnl_out_of_memory) throw std::bad_alloc();
    if (status != dnnl_success) fail(MIRROR_E_INTERNAL, "dnnl_sgemm failed with status ", status);
}

}  // namespace mirror
