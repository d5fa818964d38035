// Planning in four steps: keep the layers on the path to the output, give each a size, merge what a
// convolution can do in one go, place the results in the arena.
#include "plan/plan.h"

#include <algorithm>

#include "base/checked.h"
#include "plan/arena.h"

namespace mirror {
namespace {

constexpr int max_side = 65535;  // pixels, as for images

// Whether each layer is on the path from the input to `target`.
std::vector<bool> path_to(const Graph& graph, int target) {
    std::vector<bool> needed(graph.layers().size());
    needed[static_cast<size_t>(target)] = true;
    for (int i = target; i > 0; --i)
        if (needed[static_cast<size_t>(i)])
            for (int input : graph.layer(i).inputs) needed[static_cast<size_t>(input)] = true;
    return needed;
}

int target_layer(const Graph& graph, const std::string& layer) {
    if (layer.empty()) return graph.output();
    const int target = graph.find(layer);
    require(target > 0, "layer \"", layer, "\" is the input, expected a layer after it");
    return target;
}

bool has_window(const Layer& layer) {
    return layer.kind == LayerKind::conv || layer.kind == LayerKind::max_pool ||
           layer.kind == LayerKind::avg_pool;
}

int64_t output_extent(const Layer& layer, int64_t extent) {
    if (!has_window(layer)) return extent;
    if (layer.padding.same) return (extent + layer.stride - 1) / layer.stride;
    return window_output(
        extent, layer.kernel, layer.stride, layer.padding.amount, layer.padding.amount);
}

// Output extent of every needed layer along one axis; empty where some layer has none.
std::vector<int64_t> extents(const Graph& graph, const std::vector<bool>& needed, int64_t input) {
    std::vector<int64_t> result(needed.size());
    result[0] = input;
    for (size_t i = 1; i < needed.size(); ++i) {
        if (!needed[i]) continue;
        const Layer& layer = graph.layers()[i];
        result[i] = output_extent(layer, result[static_cast<size_t>(layer.inputs[0])]);
        if (result[i] < 1) return {};
    }
    return result;
}

class Planner {
  public:
    Planner(std::shared_ptr<const Model> model,
            int batch,
            int height,
            int width,
            const std::string& layer,
            int alignment)
        : graph_(model->graph()),
          alignment_(alignment),
          target_(target_layer(graph_, layer)),
          needed_(path_to(graph_, target_)) {
        plan_.batch = batch;
        plan_.height = height;
        plan_.width = width;
        heights_ = extents(graph_, needed_, height);
        widths_ = extents(graph_, needed_, width);
        if (heights_.empty() || widths_.empty()) {
            const int smallest = min_size(graph_, layer);
            fail(MIRROR_E_INVALID_ARGUMENT,
                 "input is ",
                 width,
                 " x ",
                 height,
                 " pixels, but ",
                 graph_.network(),
                 layer.empty() ? "" : " up to layer " + layer,
                 " needs at least ",
                 smallest,
                 " x ",
                 smallest);
        }
        plan_.model = std::move(model);
    }

    Plan run() {
        count_consumers();
        tensor_of_.assign(needed_.size(), -1);
        tensor_of_[0] = add_tensor(0);
        for (int i = 1; i <= target_; ++i)
            if (needed_[index(i)] && tensor_of_[index(i)] < 0) add_layer(i);
        plan_.output = tensor_of_[index(target_)];
        assign_memory();
        return std::move(plan_);
    }

  private:
    static size_t index(int i) { return static_cast<size_t>(i); }
    PlanTensor& tensor(int i) { return plan_.tensors[index(i)]; }

    [[noreturn]] void unsupported(int layer, const char* what) const {
        fail(MIRROR_E_INTERNAL,
             "network ",
             graph_.network(),
             ", layer ",
             graph_.layer(layer).name,
             ": ",
             what);
    }

    void count_consumers() {
        consumers_.resize(needed_.size());
        for (int i = 1; i <= target_; ++i)
            if (needed_[index(i)])
                for (int input : graph_.layer(i).inputs) consumers_[index(input)].push_back(i);
    }

    // The one layer that reads `layer`, if it is of that kind; else -1.
    int only_consumer(int layer, LayerKind kind) const {
        const auto& readers = consumers_[index(layer)];
        return readers.size() == 1 && graph_.layer(readers[0]).kind == kind ? readers[0] : -1;
    }

    int add_tensor(int layer) {
        PlanTensor result;
        result.layer = graph_.layer(layer).name;
        result.height = static_cast<int>(heights_[index(layer)]);
        result.width = static_cast<int>(widths_[index(layer)]);
        result.channels = graph_.layer(layer).channels;
        result.stride = (result.channels + alignment_ - 1) / alignment_ * alignment_;
        plan_.tensors.push_back(std::move(result));
        storage_.push_back(-1);
        return static_cast<int>(plan_.tensors.size()) - 1;
    }

    void add_layer(int i) {
        const Layer& layer = graph_.layer(i);
        switch (layer.kind) {
            case LayerKind::conv:
                add_conv(i);
                return;
            case LayerKind::max_pool:
                add_simple(i, OperationKind::max_pool);
                return;
            case LayerKind::avg_pool:
                add_simple(i, OperationKind::avg_pool);
                return;
            case LayerKind::lrn:
                add_simple(i, OperationKind::lrn);
                return;
            case LayerKind::concat:
                add_concat(i);
                return;
            case LayerKind::input:
            case LayerKind::batch_norm:
            case LayerKind::relu:
            case LayerKind::add:
                break;
        }
        unsupported(i, "does not follow a convolution that could take it in");
    }

    Operation operation(int i, OperationKind kind) {
        const Layer& layer = graph_.layer(i);
        Operation result;
        result.kind = kind;
        result.name = layer.name;
        result.input = tensor_of_[index(layer.inputs[0])];
        result.lrn = layer.lrn;
        mirror_window& window = result.window;
        window.struct_size = sizeof window;
        window.kernel_h = window.kernel_w = layer.kernel;
        window.stride_h = window.stride_w = layer.stride;
        if (layer.padding.same && has_window(layer))
            set_same_padding(window, tensor(result.input).height, tensor(result.input).width);
        else
            window.pad_top = window.pad_left = window.pad_bottom = window.pad_right =
                layer.padding.amount;
        return result;
    }

    void add_simple(int i, OperationKind kind) {
        Operation op = operation(i, kind);
        op.output = tensor_of_[index(i)] = add_tensor(i);
        plan_.operations.push_back(std::move(op));
    }

    // Takes in batch norm, then an addition, then a ReLU, as far as each is the only reader of the
    // last.
    void add_conv(int i) {
        const Layer& layer = graph_.layer(i);
        Operation op = operation(i, OperationKind::conv);
        op.source = {layer.name, layer.bias, layer.batch_norm};
        op.relu = layer.relu;
        int last = i, shortcut = -1;
        std::vector<int> taken = {i};
        auto take = [&](LayerKind kind) {
            const int next = op.relu ? -1 : only_consumer(last, kind);
            if (next >= 0) taken.push_back(last = next);
            return next;
        };
        if (layer.batch_norm.empty()) {
            if (const int norm = take(LayerKind::batch_norm); norm >= 0) {
                op.source.batch_norm = graph_.layer(norm).batch_norm;
                op.relu = graph_.layer(norm).relu;
            }
        }
        // The branch of an addition comes last; a projected shortcut is only its first input.
        const int sum = only_consumer(last, LayerKind::add);
        if (sum >= 0 && graph_.layer(sum).inputs[1] == last) {
            shortcut = tensor_of_[index(graph_.layer(sum).inputs[0])];
            take(LayerKind::add);
        }
        if (take(LayerKind::relu) >= 0) op.relu = true;

        op.output = add_tensor(last);
        for (int l : taken) tensor_of_[index(l)] = op.output;
        if (shortcut >= 0) {
            op.residual = true;
            residuals_.push_back({op.output, shortcut});
        }
        const PlanTensor& out = tensor(op.output);
        plan_.flops += 2.0 * out.height * out.width * out.channels * layer.kernel * layer.kernel *
                       tensor(op.input).channels;
        plan_.operations.push_back(std::move(op));
    }

    void add_concat(int i) {
        const int output = tensor_of_[index(i)] = add_tensor(i);
        int channel = 0;
        for (int input : graph_.layer(i).inputs) {
            if (consumers_[index(input)].size() != 1)
                unsupported(input, "is read by more than a concat");
            const int part = tensor_of_[index(input)];
            if (channel % alignment_ != 0 || tensor(part).channels % alignment_ != 0)
                unsupported(input, "is a concat's slice of channels that vectors do not fit");
            tensor(part).stride = tensor(output).stride;
            tensor(part).slice = true;
            tensor(part).offset =
                channel;  // from the start of the concat, until memory is assigned
            storage_[index(part)] = output;
            channel += tensor(part).channels;
        }
    }

    // The tensor whose buffer holds tensor t.
    int root(int t) const {
        while (storage_[index(t)] >= 0) t = storage_[index(t)];
        return t;
    }

    void assign_memory() {
        const int end = static_cast<int>(plan_.operations.size());
        std::vector<int> last_read(plan_.tensors.size(), -1);
        for (int o = 0; o < end; ++o) last_read[index(plan_.operations[index(o)].input)] = o;
        for (const auto& [output, shortcut] : residuals_) {
            // In place: nothing may read the shortcut after the addition has overwritten it.
            if (shortcut == 0 || last_read[index(shortcut)] > writer(output) ||
                storage_[index(output)] >= 0)
                unsupported(graph_.find(tensor(output).layer), "its shortcut is needed later");
            storage_[index(output)] = shortcut;
        }

        std::vector<Buffer> buffers(plan_.tensors.size());
        for (Buffer& buffer : buffers) buffer = {0, end, -1, 0};
        auto touch = [&](int t, int op) {
            Buffer& buffer = buffers[index(root(t))];
            buffer.first = std::min(buffer.first, op);
            buffer.last = std::max(buffer.last, op);
        };
        for (int o = 0; o < end; ++o) {
            touch(plan_.operations[index(o)].input, o);
            touch(plan_.operations[index(o)].output, o);
        }
        touch(plan_.output, end);  // read after the last operation
        for (size_t t = 0; t < buffers.size(); ++t) {
            const PlanTensor& tensor = plan_.tensors[t];
            if (root(static_cast<int>(t)) == static_cast<int>(t))
                buffers[t].elements = static_cast<int64_t>(checked_size(
                    "activations", plan_.batch, tensor.height, tensor.width, tensor.stride));
        }
        plan_.arena_elements = place(buffers);
        for (size_t t = 0; t < buffers.size(); ++t)
            plan_.tensors[t].offset += buffers[index(root(static_cast<int>(t)))].offset;
    }

    int writer(int t) const {
        for (size_t o = 0; o < plan_.operations.size(); ++o)
            if (plan_.operations[o].output == t) return static_cast<int>(o);
        return -1;
    }

    const Graph& graph_;
    const int alignment_;
    const int target_;
    const std::vector<bool> needed_;
    Plan plan_;
    std::vector<int64_t> heights_, widths_;       // per layer
    std::vector<std::vector<int>> consumers_;     // per layer
    std::vector<int> tensor_of_;                  // per layer, -1: not yet computed
    std::vector<int> storage_;                    // per tensor: the tensor it lies in, or -1
    std::vector<std::pair<int, int>> residuals_;  // output, shortcut
};

}  // namespace

std::shared_ptr<const Plan> make_plan(std::shared_ptr<const Model> model,
                                      int batch,
                                      int height,
                                      int width,
                                      const std::string& layer,
                                      int alignment) {
    require(batch >= 1, "batch is ", batch, ", expected >= 1");
    require(height >= 1 && height <= max_side, "height is ", height, ", expected 1 to ", max_side);
    require(width >= 1 && width <= max_side, "width is ", width, ", expected 1 to ", max_side);
    return std::make_shared<const Plan>(
        Planner(std::move(model), batch, height, width, layer, alignment).run());
}

int min_size(const Graph& graph, const std::string& layer) {
    const auto needed = path_to(graph, target_layer(graph, layer));
    int side = 1;
    while (extents(graph, needed, side).empty()) ++side;
    return side;
}

void set_same_padding(mirror_window& window, int height, int width) {
    auto total = [](int extent, int kernel, int stride) {
        const int64_t outputs = (static_cast<int64_t>(extent) + stride - 1) / stride;
        return static_cast<int>(std::max<int64_t>((outputs - 1) * stride + kernel - extent, 0));
    };
    const int vertical = total(height, window.kernel_h, window.stride_h);
    const int horizontal = total(width, window.kernel_w, window.stride_w);
    window.pad_top = vertical / 2;
    window.pad_bottom = vertical - vertical / 2;
    window.pad_left = horizontal / 2;
    window.pad_right = horizontal - horizontal / 2;
}

int64_t window_output(int64_t extent, int kernel, int stride, int pad_before, int pad_after) {
    const int64_t room = extent + pad_before + pad_after - kernel;
    return room < 0 ? 0 : room / stride + 1;
}

}  // namespace mirror
