// A network for one input size and batch: what to compute, in which order, where each result lies
// in one arena. Batch norm, bias, ReLU and residual additions are folded into the convolutions;
// concats vanish, because their inputs are written straight into channel slices of the result.
// Knows nothing of devices: a backend decides how to run each operation.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mirror/mirror.h"
#include "model/fold.h"
#include "model/graph.h"

namespace mirror {

enum class OperationKind { conv, max_pool, avg_pool, lrn };

// [batch, height, width, channels] in the arena. Element (n, y, x, c) lies at
// offset + ((n * height + y) * width + x) * stride + c.
struct PlanTensor {
    std::string layer;  // the graph's layer whose result this is
    int height = 0;
    int width = 0;
    int channels = 0;
    int stride = 0;      // elements from pixel to pixel: channels rounded up to the plan's
                         // alignment, or the concat's for a slice of one
    bool slice = false;  // lies in the channels of a concat: nothing but `channels` may be written
    int64_t offset = 0;  // elements from the start of the arena; a multiple of 64 unless a slice
};

struct Operation {
    OperationKind kind = OperationKind::conv;
    std::string
        name;  // the graph's layer it starts with; a convolution's result may be a later layer's
    int input = 0;  // tensors; an input is never a slice
    int output = 0;
    mirror_window window{};  // conv and pools, padding resolved
    // conv: output = relu?(conv + bias + residual).
    ConvSource source;
    bool relu = false;
    bool residual = false;  // the output's memory holds the residual when the operation starts
    Lrn lrn;
};

struct Plan {
    std::shared_ptr<const Model> model;
    int batch = 1;
    int height = 0;  // of the input
    int width = 0;
    std::vector<PlanTensor>
        tensors;  // 0 is the input, which operations leave intact while they need it
    std::vector<Operation> operations;
    int output = 0;              // tensor
    int64_t arena_elements = 0;  // of whichever type activations have
    double flops = 0;            // multiply-adds * 2 of the convolutions, one image
};

// layer empty: the network's output. NOT_FOUND for an unknown layer; INVALID_ARGUMENT with the
// minimum where the input is too small.
// Pixels and slices start at multiples of `alignment` channels.
std::shared_ptr<const Plan> make_plan(std::shared_ptr<const Model> model,
                                      int batch,
                                      int height,
                                      int width,
                                      const std::string& layer,
                                      int alignment = 1);

// Smallest input side at which every layer up to `layer` (empty: all) has an output.
int min_size(const Graph& graph, const std::string& layer);

// TensorFlow's SAME padding for one input size, written into the window's pads.
void set_same_padding(mirror_window& window, int height, int width);

// Output size of a window over `extent` cells; <= 0 where it does not fit.
int64_t window_output(int64_t extent, int kernel, int stride, int pad_before, int pad_after);

}  // namespace mirror
