// Batch norm folded into the convolution before it: kernel * s and (bias - mean) * s + beta with
// s = gamma / sqrt(variance + 1e-5), computed in double and stored as float.
#pragma once

#include <string>
#include <vector>

#include "model/model.h"

namespace mirror {

// Where a planned convolution takes its values from.
struct ConvSource {
    std::string layer;  // LAYER/kernel and, with has_bias, LAYER/bias
    bool has_bias = false;
    std::string batch_norm;  // scope, or empty
};

struct ConvWeights {
    std::vector<float> kernel;  // HWIO
    std::vector<float> bias;    // [O]; zeros where the network has none
};

ConvWeights fold(const Model& model, const ConvSource& source);

}  // namespace mirror
