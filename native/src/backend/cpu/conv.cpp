// Single operations of networks on the CPU: one oneDNN primitive, built, run, dropped. Pipelines
// use the same descriptors, so a test of these is a test of what networks run on.
#include "backend/cpu/cpu_backend.h"
#include "backend/cpu/dnnl_util.h"
#include "backend/cpu/elementwise.h"

namespace mirror {
namespace {

using dnnl::memory;

memory wrap(const memory::desc& desc, const float* data) {
    return memory(desc, dnnl_engine(), const_cast<float*>(data));
}

// The memory itself where it already has the wanted layout and type, else a converted copy.
memory converted(const memory& from, const memory::desc& wanted, dnnl::stream& stream) {
    if (from.get_desc() == wanted) return from;
    memory result(wanted, dnnl_engine());
    memory source = from;
    dnnl::reorder(source, result).execute(stream, source, result);
    return result;
}

}  // namespace

void CpuBackend::conv2d(const Conv2dArgs& args) {
    const ThreadScope scope(threads_);
    const WindowShape shape{args.n, args.h, args.w, args.in_c, args.out_c, args.window};
    const auto type = dnnl_type(args.precision);
    const auto desc = dnnl_conv(shape, args.relu, args.residual != nullptr, type, "conv2d");
    dnnl_guard("conv2d", [&] {
        using enum memory::data_type;
        dnnl::stream stream(dnnl_engine());
        const auto x_desc = dnnl_map(f32, shape.n, shape.h, shape.w, shape.in_c);
        const auto y_desc = dnnl_map(f32, shape.n, shape.out_h(), shape.out_w(), shape.out_c);
        const std::vector<float> zeros(args.bias ? 0 : static_cast<size_t>(shape.out_c));
        memory y = wrap(y_desc, args.y);
        // The sum post-op adds to what the result's memory holds.
        memory result = type == f32 ? y : memory(desc.dst_desc(), dnnl_engine());
        if (args.residual) {
            memory residual = wrap(y_desc, args.residual);
            dnnl::reorder(residual, result).execute(stream, residual, result);
        }
        dnnl::convolution_forward(desc).execute(
            stream,
            {{DNNL_ARG_SRC, converted(wrap(x_desc, args.x), desc.src_desc(), stream)},
             {DNNL_ARG_WEIGHTS,
              converted(dnnl_hwio(args.weights, shape), desc.weights_desc(), stream)},
             {DNNL_ARG_BIAS, wrap(desc.bias_desc(), args.bias ? args.bias : zeros.data())},
             {DNNL_ARG_DST, result},
             {DNNL_ARG_SCRATCHPAD, memory(desc.scratchpad_desc(), dnnl_engine())}});
        if (type != f32) dnnl::reorder(result, y).execute(stream, result, y);
        stream.wait();
    });
}

void CpuBackend::pool2d(const mirror_window& window,
                        int32_t pool,
                        const float* x,
                        int n,
                        int h,
                        int w,
                        int c,
                        float* y) {
    const ThreadScope scope(threads_);
    const WindowShape shape{n, h, w, c, c, window};
    const auto desc = dnnl_pool(shape, pool, memory::data_type::f32, "pool2d");
    dnnl_guard("pool2d", [&] {
        dnnl::stream stream(dnnl_engine());
        dnnl::pooling_forward(desc).execute(
            stream,
            {{DNNL_ARG_SRC, wrap(desc.src_desc(), x)},
             {DNNL_ARG_DST, wrap(desc.dst_desc(), y)},
             {DNNL_ARG_SCRATCHPAD, memory(desc.scratchpad_desc(), dnnl_engine())}});
        stream.wait();
    });
}

void CpuBackend::lrn(const float* x,
                     int64_t rows,
                     int c,
                     int radius,
                     float alpha,
                     float beta,
                     float bias,
                     float* y) {
    const ThreadScope scope(threads_);
    lrn_rows(x, rows, c, {radius, alpha, beta, bias}, y);
}

}  // namespace mirror
