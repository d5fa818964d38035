// See fold.h.
#include "model/fold.h"

#include <cmath>

namespace mirror {
namespace {

constexpr double epsilon = 1e-5;

}  // namespace

ConvWeights fold(const Model& model, const ConvSource& source) {
    ConvWeights result;
    result.kernel = model.values(source.layer + "/kernel");
    const size_t channels =
        static_cast<size_t>(model.file().at(source.layer + "/kernel").shape.back());
    result.bias =
        source.has_bias ? model.values(source.layer + "/bias") : std::vector<float>(channels);
    if (source.batch_norm.empty()) return result;

    const auto gamma = model.values(source.batch_norm + "/gamma");
    const auto beta = model.values(source.batch_norm + "/beta");
    const auto mean = model.values(source.batch_norm + "/moving_mean");
    const auto variance = model.values(source.batch_norm + "/moving_variance");
    std::vector<double> scale(channels);
    for (size_t c = 0; c < channels; ++c) {
        if (variance[c] < 0)
            fail(MIRROR_E_FORMAT,
                 model.file().path(),
                 ": tensor ",
                 source.batch_norm,
                 "/moving_variance, element ",
                 c,
                 " is ",
                 variance[c],
                 ", expected >= 0");
        scale[c] = gamma[c] / std::sqrt(variance[c] + epsilon);
        result.bias[c] = static_cast<float>(
            (static_cast<double>(result.bias[c]) - mean[c]) * scale[c] + beta[c]);
    }
    for (size_t i = 0; i < result.kernel.size(); i += channels)
        for (size_t c = 0; c < channels; ++c)
            result.kernel[i + c] = static_cast<float>(result.kernel[i + c] * scale[c]);
    return result;
}

}  // namespace mirror
