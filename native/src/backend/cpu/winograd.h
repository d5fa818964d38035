// 3x3 convolutions of stride 1 by Winograd's minimal filtering, F(4x4, 3x3) (Lavin & Gray, "Fast
// Algorithms for Convolutional Neural Networks", CVPR 2016): 36 multiplications where the direct
// sum needs 144. Tiles of 4x4 results are transformed by our loops, multiplied by one batched
// oneDNN matmul, and transformed back; maps stay NHWC, of float32 or bfloat16. The matmul adds in
// float32.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "backend/cpu/dnnl_util.h"

namespace mirror {

template <class T>
class Winograd {
  public:
    // Empty where the direct kernel is better: other windows than 3x3 with stride 1, few channels,
    // or a CPU for which oneDNN has no fast matmul of this type.
    static std::optional<Winograd> make(const WindowShape& shape,
                                        bool relu,
                                        const std::string& name);

    // A kernel [3, 3, in_c, out_c] as the 36 matrices [in_c, out_c] that tiles are multiplied with.
    std::vector<float> transform(const float* hwio) const;

    // Of the matrices: as transform() gives them, and as the matmul wants them.
    dnnl::memory::desc plain_weights() const;
    dnnl::memory::desc weights_desc() const { return desc_.weights_desc(); }

    size_t scratch_bytes() const;  // of run()'s scratch

    // source: [n, h, w, in_c]. bias: [out_c]. Results: [n, out_h, out_w, out_c] with `stride`
    // elements between pixels.
    void run(dnnl::stream& stream,
             const T* source,
             const dnnl::memory& weights,
             const float* bias,
             T* target,
             int64_t stride,
             std::byte* scratch) const;

  private:
    Winograd(const WindowShape& shape, bool relu, int rows, dnnl::matmul::primitive_desc desc)
        : shape_(shape),
          relu_(relu),
          rows_(rows),
          desc_(std::move(desc)),
          matmul_(desc_),
          zeros_(static_cast<size_t>(shape.in_c)) {}

    WindowShape shape_;
    bool relu_;
    int rows_;  // tiles of one matmul
    dnnl::matmul::primitive_desc desc_;
    dnnl::matmul matmul_;
    std::vector<T> zeros_;  // a pixel of the padding
};

}  // namespace mirror
