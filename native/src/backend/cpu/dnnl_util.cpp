// See dnnl_util.h.
#include "backend/cpu/dnnl_util.h"

#include <new>
#include <string_view>

#include "base/error.h"
#include "base/log.h"
#include "plan/plan.h"

namespace mirror {

using dnnl::memory;

dnnl::engine& dnnl_engine() {
    static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    return engine;
}

dnnl::primitive_attr dnnl_user_scratchpad() {
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return attributes;
}

void dnnl_report(const std::string& name, const char* implementation) {
    const bool slow = std::string_view(implementation).starts_with("ref");
    log(slow ? MIRROR_LOG_WARNING : MIRROR_LOG_DEBUG,
        text("oneDNN runs ",
             name,
             " with ",
             implementation,
             slow ? ", its slow reference code: this CPU or shape has no fast kernel" : ""));
}

memory::data_type dnnl_type(int32_t precision) {
    return precision == MIRROR_PRECISION_BF16 ? memory::data_type::bf16 : memory::data_type::f32;
}

memory::desc dnnl_map(memory::data_type type, int n, int h, int w, int c) {
    return {{n, c, h, w}, type, memory::format_tag::nhwc};
}

int WindowShape::out_h() const {
    return static_cast<int>(
        window_output(h, window.kernel_h, window.stride_h, window.pad_top, window.pad_bottom));
}

int WindowShape::out_w() const {
    return static_cast<int>(
        window_output(w, window.kernel_w, window.stride_w, window.pad_left, window.pad_right));
}

dnnl::convolution_forward::primitive_desc dnnl_conv(const WindowShape& shape,
                                                    bool relu,
                                                    bool residual,
                                                    memory::data_type type,
                                                    const std::string& name) {
    return dnnl_guard(name, [&] {
        const mirror_window& window = shape.window;
        const memory::desc weights({shape.out_c, shape.in_c, window.kernel_h, window.kernel_w},
                                   type,
                                   memory::format_tag::any);
        const memory::desc bias({shape.out_c}, memory::data_type::f32, memory::format_tag::a);
        const dnnl::convolution_forward::desc desc(
            dnnl::prop_kind::forward_inference,
            dnnl::algorithm::convolution_direct,
            dnnl_map(type, shape.n, shape.h, shape.w, shape.in_c),
            weights,
            bias,
            dnnl_map(type, shape.n, shape.out_h(), shape.out_w(), shape.out_c),
            {window.stride_h, window.stride_w},
            {window.pad_top, window.pad_left},
            {window.pad_bottom, window.pad_right});
        dnnl::primitive_attr attributes = dnnl_user_scratchpad();
        dnnl::post_ops after;
        if (residual) after.append_sum();
        if (relu) after.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
        attributes.set_post_ops(after);
        dnnl::convolution_forward::primitive_desc result(desc, attributes, dnnl_engine());
        dnnl_report(name, result.impl_info_str());
        return result;
    });
}

dnnl::pooling_forward::primitive_desc dnnl_pool(const WindowShape& shape,
                                                int32_t pool,
                                                memory::data_type type,
                                                const std::string& name) {
    return dnnl_guard(name, [&] {
        const mirror_window& window = shape.window;
        const auto algorithm = pool == MIRROR_POOL_MAX
                                   ? dnnl::algorithm::pooling_max
                                   : dnnl::algorithm::pooling_avg_include_padding;
        const dnnl::pooling_forward::desc desc(
            dnnl::prop_kind::forward_inference,
            algorithm,
            dnnl_map(type, shape.n, shape.h, shape.w, shape.in_c),
            dnnl_map(type, shape.n, shape.out_h(), shape.out_w(), shape.in_c),
            {window.stride_h, window.stride_w},
            {window.kernel_h, window.kernel_w},
            {window.pad_top, window.pad_left},
            {window.pad_bottom, window.pad_right});
        dnnl::pooling_forward::primitive_desc result(desc, dnnl_user_scratchpad(), dnnl_engine());
        dnnl_report(name, result.impl_info_str());
        return result;
    });
}

memory dnnl_hwio(const float* kernel, const WindowShape& shape) {
    const memory::desc desc({shape.out_c, shape.in_c, shape.window.kernel_h, shape.window.kernel_w},
                            memory::data_type::f32,
                            memory::format_tag::hwio);
    return memory(desc, dnnl_engine(), const_cast<float*>(kernel));
}

void dnnl_fail(const std::string& name, const dnnl::error& error) {
    if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
    fail(MIRROR_E_INTERNAL, name, ": oneDNN: ", error.what(), " (status ", error.status, ")");
}

}  // namespace mirror
