#include "backend/cuda/weights.h"

#include <algorithm>

#include "base/checked.h"
#include "base/half.h"

namespace mirror::cuda {
namespace {

template <class T>
std::vector<T> arrange(const WeightShape& shape, const float* kernel) {
    const int64_t columns = shape.row_pixel ? 1 : shape.s;
    std::vector<T> result(checked_size("weights", shape.k, shape.r, columns, shape.c),
                          from_float<T>(0.0f));
    for (int64_t r = 0; r < shape.r; ++r)
        for (int64_t s = 0; s < shape.s; ++s)
            for (int64_t c = 0; c < shape.in_c; ++c) {
                const float* source = kernel + ((r * shape.s + s) * shape.in_c + c) * shape.out_c;
                const int64_t tap = shape.row_pixel ? r * shape.c + s * shape.row_pixel + c
                                                    : (r * shape.s + s) * shape.c + c;
                const int64_t filter = shape.r * columns * shape.c;
                for (int64_t k = 0; k < shape.out_c; ++k)
                    result[static_cast<size_t>(k * filter + tap)] = from_float<T>(source[k]);
            }
    return result;
}

template <class T>
DeviceBuffer upload(const std::shared_ptr<const Gpu>& gpu, const std::vector<T>& values) {
    return cuda::upload(gpu, values.data(), values.size() * sizeof(T));
}

}  // namespace

ConvOperands upload_weights(const std::shared_ptr<const Gpu>& gpu,
                            int32_t precision,
                            const WeightShape& shape,
                            const float* kernel,
                            const float* bias) {
    ConvOperands result;
    std::vector<float> padded(static_cast<size_t>(shape.k));
    if (bias) std::copy_n(bias, shape.out_c, padded.begin());
    result.bias = upload(gpu, padded);
    if (precision == MIRROR_PRECISION_FP32)
        result.weights = upload(gpu, arrange<float>(shape, kernel));
    else if (precision == MIRROR_PRECISION_BF16)
        result.weights = upload(gpu, arrange<bfloat16>(shape, kernel));
    else
        result.weights = upload(gpu, arrange<float16>(shape, kernel));
    return result;
}

}  // namespace mirror::cuda
