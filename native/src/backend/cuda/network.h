// One plan on the GPU: its input layout, its operations with kernels chosen and weights uploaded.
// Many images at once up to the plan's batch; the arena belongs to the caller, because several
// plans (scales) share it.
#pragma once

#include <map>
#include <string>

#include "backend/cuda/choose.h"
#include "backend/cuda/weights.h"
#include "plan/plan.h"

namespace mirror::cuda {

// Weights of the convolutions by layer and layout, shared by all scales of a pipeline.
class WeightStore {
  public:
    WeightStore(std::shared_ptr<const Gpu> gpu,
                std::shared_ptr<const Model> model,
                int32_t precision)
        : gpu_(std::move(gpu)), model_(std::move(model)), precision_(precision) {}
    const ConvOperands& get(const Operation& op, const WeightShape& shape);
    int64_t bytes() const { return bytes_; }

  private:
    std::shared_ptr<const Gpu> gpu_;
    std::shared_ptr<const Model> model_;
    int32_t precision_;
    std::map<std::string, ConvOperands> operands_;
    int64_t bytes_ = 0;
};

// What a step of a network is, and with a time what it costs.
struct LayerTime {
    std::string layer;
    std::string kernel;
    double seconds = 0;  // one launch for all images, median of the rounds
    double flops = 0;    // multiply-adds * 2 that the layer needs, without padding
    double bytes = 0;    // inputs, weights and outputs, each moved once
};

class Network {
  public:
    // scale: the input is the full-size input subsampled by 2^scale. overflow: see Conv2dParams.
    Network(std::shared_ptr<const Gpu> gpu,
            std::shared_ptr<const Plan> plan,
            int32_t precision,
            Family family,
            int scale,
            WeightStore& weights,
            unsigned* overflow);

    // Where photographs are written; image i at layout().y + i * image_stride.
    const InputLayout& layout() const { return layout_; }
    int64_t input_bytes() const { return static_cast<int64_t>(input_.bytes()); }
    const Plan& plan() const { return *plan_; }
    const PlanTensor& output() const { return plan_->tensors[static_cast<size_t>(plan_->output)]; }
    // The feature map within an arena of plan().arena_elements elements.
    void* map(void* arena) const { return place(plan_->output, arena); }

    // Once per number of images, before run, outside of any recording: the tensor maps of Hopper's
    // kernels. `arena` must stay the same from then on.
    void prepare(int count, void* arena);
    // Queues the whole network for `count` images.
    void run(int count, void* arena) const;

    size_t size() const { return steps_.size(); }
    void run_step(size_t step, int count, void* arena) const;
    // Layer, kernel, FLOPs and bytes of a step; no time.
    LayerTime describe(size_t step, int count) const;

  private:
    struct Step {
        const Operation* op;
        KernelId kernel{};                 // conv
        Conv2dParams conv{};               // pointers into the arena are set by run
        std::map<int, DeviceBuffer> maps;  // Hopper kernels: tensor maps by number of images
    };

    void lay_out_input(int scale);
    void add_conv(Step& step, WeightStore& weights);
    Conv2dParams conv_params(const Step& step, int count, void* arena) const;
    void* place(int tensor, void* arena) const;
    void run_window(const Step& step, int count, const void* x, void* y) const;

    std::shared_ptr<const Gpu> gpu_;
    std::shared_ptr<const Plan> plan_;
    int32_t precision_;
    Family family_;
    unsigned* overflow_;
    InputLayout layout_{};
    int input_rows_ = 0;  // of layout_, margins included
    DeviceBuffer input_;
    std::vector<Step> steps_;
};

}  // namespace mirror::cuda
