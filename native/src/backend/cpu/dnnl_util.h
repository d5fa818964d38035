// What the CPU backend needs of oneDNN: descriptors of convolutions and pools on dense NHWC data.
// Sources and results are plain NHWC because oneDNN's brgconv and jit kernels run at full speed on
// it, weights are in whatever layout the chosen kernel likes best.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>
#include <string>

#include "mirror/mirror.h"

namespace mirror {

dnnl::engine& dnnl_engine();

dnnl::memory::data_type dnnl_type(int32_t precision);  // MIRROR_PRECISION_FP32 or _BF16

// A dense NHWC feature map.
dnnl::memory::desc dnnl_map(dnnl::memory::data_type type, int n, int h, int w, int c);

struct WindowShape {
    int n = 0, h = 0, w = 0, in_c = 0;
    int out_c = 0;  // conv only
    mirror_window window{};

    int out_h() const;
    int out_w() const;
};

// The scratchpad is the caller's: oneDNN's own is per thread, and a host may move between threads.
dnnl::primitive_attr dnnl_user_scratchpad();

// Logs which of oneDNN's kernels runs the layer `name`: its slow reference code as a warning.
void dnnl_report(const std::string& name, const char* implementation);

dnnl::convolution_forward::primitive_desc dnnl_conv(const WindowShape& shape,
                                                    bool relu,
                                                    bool residual,
                                                    dnnl::memory::data_type type,
                                                    const std::string& name);
// pool: MIRROR_POOL_MAX or _AVG (zeros counted).
dnnl::pooling_forward::primitive_desc dnnl_pool(const WindowShape& shape,
                                                int32_t pool,
                                                dnnl::memory::data_type type,
                                                const std::string& name);

// HWIO float32 in the caller's memory as a convolution's weights; oneDNN only reads it.
dnnl::memory dnnl_hwio(const float* kernel, const WindowShape& shape);

// Runs `body`, turning oneDNN's exceptions into ours with the layer's name.
template <class F>
auto dnnl_guard(const std::string& name, F&& body) -> decltype(body());

[[noreturn]] void dnnl_fail(const std::string& name, const dnnl::error& error);

template <class F>
auto dnnl_guard(const std::string& name, F&& body) -> decltype(body()) {
    try {
        return body();
    } catch (const dnnl::error& error) {
        dnnl_fail(name, error);
    }
}

}  // namespace mirror
