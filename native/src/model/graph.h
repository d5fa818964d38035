// A network as a flat list of layers in execution order, with TensorFlow's names. A layer names its
// inputs by index, so the list is its own topological order. Sizes are not here: the plan computes
// them for one input size. Only layers on the path from the photograph to the output are listed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mirror {

enum class LayerKind { input, conv, batch_norm, relu, add, max_pool, avg_pool, lrn, concat };

// TensorFlow's SAME (asymmetric: the extra cell goes to the bottom and right), or `amount` cells on
// every side.
struct Padding {
    bool same = true;
    int amount = 0;
};
constexpr Padding same{};
constexpr Padding pad(int amount) {
    return {false, amount};
}
constexpr Padding valid = pad(0);

struct Lrn {
    int radius = 2;
    float alpha = 2e-5f;  // per element, not divided by the window
    float beta = 0.75f;
    float bias = 1.0f;
};

struct Layer {
    LayerKind kind = LayerKind::input;
    std::string name;
    std::vector<int> inputs;  // indices of earlier layers
    int channels = 0;         // of the output
    int kernel = 1;           // conv and pools; square
    int stride = 1;
    Padding padding;
    bool bias = false;  // conv: has NAME/bias
    bool relu = false;  // conv and batch_norm: applied last
    std::string batch_norm =
        {};  // scope of gamma, beta, moving_mean, moving_variance; conv or batch_norm
    Lrn lrn;
};

struct Variable {
    std::string name;
    std::vector<int64_t> shape;  // kernels HWIO
};

class Graph {
  public:
    // Starts with layer 0, "data": 3 channels, RGB.
    explicit Graph(std::string network);

    // Each appends a layer and returns its index.
    int conv(std::string name,
             int input,
             int kernel,
             int filters,
             int stride,
             Padding padding,
             Layer extra);
    int batch_norm(std::string name, int input, bool relu);
    int relu(std::string name, int input);
    int add(std::string name, int shortcut, int branch);
    int max_pool(std::string name, int input, int kernel, int stride, Padding padding);
    int avg_pool(std::string name, int input, int kernel, int stride, Padding padding);
    int lrn(std::string name, int input);
    int concat(std::string name, std::vector<int> inputs);

    const std::string& network() const { return network_; }
    const std::vector<Layer>& layers() const { return layers_; }
    const Layer& layer(int index) const { return layers_[static_cast<size_t>(index)]; }
    int output() const { return static_cast<int>(layers_.size()) - 1; }
    // Index of the layer of that name; NOT_FOUND naming it and the network.
    int find(std::string_view name) const;

    // The variables of one layer; of all layers, sorted by name in byte order.
    std::vector<Variable> variables(const Layer& layer) const;
    std::vector<Variable> variables() const;

  private:
    int append(Layer layer);
    int pool(LayerKind kind, std::string name, int input, int kernel, int stride, Padding padding);

    std::string network_;
    std::vector<Layer> layers_;
};

}  // namespace mirror
