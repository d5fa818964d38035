#include "backend/cuda/network.h"

#include "backend/cuda/launchers.h"
#include "backend/cuda/nvtx.h"
#include "backend/cuda/tensor_maps.h"
#include "base/checked.h"

namespace mirror::cuda {
namespace {

constexpr int kWindowChannels = 32;  // of a filter row read as one pixel
constexpr int kWindowPixel = 4;      // elements per pixel then

// A first convolution of few channels is run as one over filter rows: its 7 x 3 neighbours of a
// pixel row lie in 8 pixels of 4 elements = 32 channels, so K is r * 32 instead of r * s * 8.
bool reads_filter_rows(const Operation& op, int32_t precision) {
    return op.kind == OperationKind::conv && op.input == 0 && precision != MIRROR_PRECISION_FP32 &&
           op.window.kernel_w * kWindowPixel <= kWindowChannels && op.window.stride_w % 2 == 0;
}

}  // namespace

const ConvOperands& WeightStore::get(const Operation& op, const WeightShape& shape) {
    const std::string key = text(op.name, ' ', shape.c, ' ', shape.k, ' ', shape.row_pixel);
    auto found = operands_.find(key);
    if (found == operands_.end()) {
        const ConvWeights folded = fold(*model_, op.source);
        found = operands_
                    .emplace(key,
                             upload_weights(
                                 gpu_, precision_, shape, folded.kernel.data(), folded.bias.data()))
                    .first;
        bytes_ += found->second.bytes();
    }
    return found->second;
}

Network::Network(std::shared_ptr<const Gpu> gpu,
                 std::shared_ptr<const Plan> plan,
                 int32_t precision,
                 Family family,
                 int scale,
                 WeightStore& weights,
                 unsigned* overflow)
    : gpu_(std::move(gpu)),
      plan_(std::move(plan)),
      precision_(precision),
      family_(family),
      overflow_(overflow) {
    lay_out_input(scale);
    steps_.reserve(plan_->operations.size());
    for (const Operation& op : plan_->operations) {
        Step& step = steps_.emplace_back();
        step.op = &op;
        if (op.kind == OperationKind::conv) add_conv(step, weights);
    }
}

void Network::lay_out_input(int scale) {
    const PlanTensor& input = plan_->tensors[0];
    layout_.height = input.height;
    layout_.width = input.width;
    layout_.step = 1 << scale;
    layout_.channels = input.stride;
    layout_.row = input.width;
    input_rows_ = input.height;
    const Operation& first = plan_->operations.front();
    if (reads_filter_rows(first, precision_)) {
        layout_.channels = kWindowPixel;
        layout_.top = first.window.pad_top;
        layout_.left = first.window.pad_left;
        layout_.row = static_cast<int>(
            round_up(input.width + first.window.pad_left + std::max(first.window.pad_right, 0), 2));
        input_rows_ = input.height + first.window.pad_top + first.window.pad_bottom;
    }
    layout_.image_stride = static_cast<int64_t>(input_rows_) * layout_.row * layout_.channels;
    // The last window of the last row may read a few pixels past its end, times zero weights.
    const size_t elements =
        checked_size("the input", plan_->batch, layout_.image_stride) + kWindowChannels;
    input_ = DeviceBuffer(gpu_, elements * static_cast<size_t>(element_bytes(precision_)));
    MIRROR_CU(*gpu_, cuMemsetD8Async, input_.address(), 0, input_.bytes(), gpu_->stream());
    layout_.y = input_.as<>();
}

void Network::add_conv(Step& step, WeightStore& weights) {
    const Operation& op = *step.op;
    const PlanTensor& in = plan_->tensors[static_cast<size_t>(op.input)];
    const PlanTensor& out = plan_->tensors[static_cast<size_t>(op.output)];
    const mirror_window& window = op.window;
    Conv2dParams& conv = step.conv;
    conv = {};
    conv.h = in.height, conv.w = in.width, conv.c = in.stride, conv.x_pitch = in.stride;
    conv.k = out.slice ? out.channels : out.stride;
    conv.r = window.kernel_h, conv.s = window.kernel_w;
    conv.p = out.height, conv.q = out.width, conv.y_pitch = out.stride;
    conv.stride_h = window.stride_h, conv.stride_w = window.stride_w;
    conv.pad_top = window.pad_top, conv.pad_left = window.pad_left;
    conv.relu = op.relu;
    WeightShape shape{
        window.kernel_h, window.kernel_w, in.channels, out.channels, conv.c, conv.k, 0};
    if (reads_filter_rows(op, precision_)) {
        conv.h = input_rows_, conv.w = layout_.row, conv.x_pitch = kWindowPixel;
        conv.c = shape.c = kWindowChannels, shape.row_pixel = kWindowPixel;
        conv.s = 1, conv.pad_top = conv.pad_left = 0;
    }
    const ConvOperands& operands = weights.get(op, shape);
    conv.weights = operands.weights.as<>();
    conv.bias = operands.bias.as<const float>();
    conv.n = plan_->batch;
    step.kernel = choose_conv(gpu_->traits(), family_, precision_, conv).id;
}

void* Network::place(int tensor, void* arena) const {
    if (tensor == 0) return layout_.y;
    return static_cast<std::byte*>(arena) +
           plan_->tensors[static_cast<size_t>(tensor)].offset * element_bytes(precision_);
}

Conv2dParams Network::conv_params(const Step& step, int count, void* arena) const {
    Conv2dParams conv = step.conv;
    conv.x = place(step.op->input, arena), conv.y = place(step.op->output, arena), conv.n = count;
    conv.residual = step.op->residual ? conv.y : nullptr;
    conv.overflow = overflow_;
    if (const auto maps = step.maps.find(count); maps != step.maps.end())
        conv.maps = maps->second.as<>();
    return conv;
}

void Network::prepare(int count, void* arena) {
    for (Step& step : steps_) {
        if (step.op->kind != OperationKind::conv || !conv_needs_maps(step.kernel) ||
            step.maps.contains(count))
            continue;
        CUtensorMap maps[kConvMaps];
        write_conv_maps(*gpu_, conv_params(step, count, arena), step.kernel, maps);
        step.maps.emplace(count, upload(gpu_, maps, sizeof maps));
    }
}

void Network::run(int count, void* arena) const {
    for (size_t i = 0; i < steps_.size(); ++i) run_step(i, count, arena);
}

LayerTime Network::describe(size_t index, int count) const {
    const Step& step = steps_[index];
    const Operation& op = *step.op;
    const PlanTensor& in = plan_->tensors[static_cast<size_t>(op.input)];
    const PlanTensor& out = plan_->tensors[static_cast<size_t>(op.output)];
    const double element = element_bytes(precision_), pixels = 1.0 * count * out.height * out.width;
    LayerTime time;
    time.layer = op.name;
    time.bytes = (1.0 * count * in.height * in.width * in.channels +
                  pixels * out.channels * (op.residual ? 2 : 1)) *
                 element;
    switch (op.kind) {
        case OperationKind::conv: {
            const double weights =
                1.0 * op.window.kernel_h * op.window.kernel_w * in.channels * out.channels;
            time.kernel = info(step.kernel).name;
            time.flops = 2 * pixels * weights;
            time.bytes += weights * element + out.channels * sizeof(float);
            break;
        }
        case OperationKind::max_pool:
        case OperationKind::avg_pool:
            time.kernel = "pool2d";
            break;
        case OperationKind::lrn:
            time.kernel = "lrn";
            break;
    }
    return time;
}

void Network::run_step(size_t index, int count, void* arena) const {
    const Step& step = steps_[index];
    const Operation& op = *step.op;
    const NvtxRange range(op.name.c_str());
    const PlanTensor& in = plan_->tensors[static_cast<size_t>(op.input)];
    const PlanTensor& out = plan_->tensors[static_cast<size_t>(op.output)];
    const void* x = place(op.input, arena);
    void* y = place(op.output, arena);
    switch (op.kind) {
        case OperationKind::conv:
            conv2d(*gpu_, step.kernel, conv_params(step, count, arena));
            return;
        case OperationKind::lrn: {
            LrnParams params{};
            params.x = x, params.y = y;
            params.rows = static_cast<int64_t>(count) * out.height * out.width;
            params.c = out.slice ? out.channels : out.stride;
            params.x_pitch = in.stride, params.y_pitch = out.stride;
            params.radius = op.lrn.radius, params.alpha = op.lrn.alpha, params.beta = op.lrn.beta,
            params.bias = op.lrn.bias;
            lrn(*gpu_, precision_, params);
            return;
        }
        case OperationKind::max_pool:
        case OperationKind::avg_pool:
            run_window(step, count, x, y);
            return;
    }
}

void Network::run_window(const Step& step, int count, const void* x, void* y) const {
    const Operation& op = *step.op;
    const PlanTensor& in = plan_->tensors[static_cast<size_t>(op.input)];
    const PlanTensor& out = plan_->tensors[static_cast<size_t>(op.output)];
    Pool2dParams params{};
    params.x = x, params.y = y;
    params.n = count, params.h = in.height, params.w = in.width;
    params.c = out.slice ? out.channels : out.stride;
    params.x_pitch = in.stride, params.y_pitch = out.stride;
    params.r = op.window.kernel_h, params.s = op.window.kernel_w;
    params.p = out.height, params.q = out.width;
    params.stride_h = op.window.stride_h, params.stride_w = op.window.stride_w;
    params.pad_top = op.window.pad_top, params.pad_left = op.window.pad_left;
    params.average = op.kind == OperationKind::avg_pool;
    pool2d(*gpu_, precision_, params);
}

}  // namespace mirror::cuda
