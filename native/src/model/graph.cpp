// Builder functions of Graph: each fills one Layer.
#include "model/graph.h"

#include <algorithm>

#include "base/error.h"

namespace mirror {

Graph::Graph(std::string network) : network_(std::move(network)) {
    Layer data;
    data.name = "data";
    data.channels = 3;
    layers_.push_back(std::move(data));
}

int Graph::append(Layer layer) {
    layers_.push_back(std::move(layer));
    return output();
}

int Graph::conv(std::string name,
                int input,
                int kernel,
                int filters,
                int stride,
                Padding padding,
                Layer extra) {
    extra.kind = LayerKind::conv;
    extra.name = std::move(name);
    extra.inputs = {input};
    extra.channels = filters;
    extra.kernel = kernel;
    extra.stride = stride;
    extra.padding = padding;
    return append(std::move(extra));
}

int Graph::batch_norm(std::string name, int input, bool relu) {
    Layer layer;
    layer.kind = LayerKind::batch_norm;
    layer.batch_norm = name;
    layer.name = std::move(name);
    layer.inputs = {input};
    layer.channels = this->layer(input).channels;
    layer.relu = relu;
    return append(std::move(layer));
}

int Graph::relu(std::string name, int input) {
    Layer layer;
    layer.kind = LayerKind::relu;
    layer.name = std::move(name);
    layer.inputs = {input};
    layer.channels = this->layer(input).channels;
    return append(std::move(layer));
}

int Graph::add(std::string name, int shortcut, int branch) {
    Layer layer;
    layer.kind = LayerKind::add;
    layer.name = std::move(name);
    layer.inputs = {shortcut, branch};
    layer.channels = this->layer(branch).channels;
    return append(std::move(layer));
}

int Graph::pool(
    LayerKind kind, std::string name, int input, int kernel, int stride, Padding padding) {
    Layer layer;
    layer.kind = kind;
    layer.name = std::move(name);
    layer.inputs = {input};
    layer.channels = this->layer(input).channels;
    layer.kernel = kernel;
    layer.stride = stride;
    layer.padding = padding;
    return append(std::move(layer));
}

int Graph::max_pool(std::string name, int input, int kernel, int stride, Padding padding) {
    return pool(LayerKind::max_pool, std::move(name), input, kernel, stride, padding);
}

int Graph::avg_pool(std::string name, int input, int kernel, int stride, Padding padding) {
    return pool(LayerKind::avg_pool, std::move(name), input, kernel, stride, padding);
}

int Graph::lrn(std::string name, int input) {
    Layer layer;
    layer.kind = LayerKind::lrn;
    layer.name = std::move(name);
    layer.inputs = {input};
    layer.channels = this->layer(input).channels;
    return append(std::move(layer));
}

int Graph::concat(std::string name, std::vector<int> inputs) {
    Layer layer;
    layer.kind = LayerKind::concat;
    layer.name = std::move(name);
    for (int input : inputs) layer.channels += this->layer(input).channels;
    layer.inputs = std::move(inputs);
    return append(std::move(layer));
}

int Graph::find(std::string_view name) const {
    for (size_t i = 0; i < layers_.size(); ++i)
        if (layers_[i].name == name) return static_cast<int>(i);
    fail(MIRROR_E_NOT_FOUND,
         "network ",
         network_,
         " has no layer \"",
         name,
         "\"; its output is ",
         layers_.back().name);
}

std::vector<Variable> Graph::variables(const Layer& layer) const {
    std::vector<Variable> result;
    const int64_t channels = layer.channels;
    if (layer.kind == LayerKind::conv) {
        const int64_t in = this->layer(layer.inputs[0]).channels;
        result.push_back({layer.name + "/kernel", {layer.kernel, layer.kernel, in, channels}});
        if (layer.bias) result.push_back({layer.name + "/bias", {channels}});
    }
    if (!layer.batch_norm.empty())
        for (const char* parameter : {"/beta", "/gamma", "/moving_mean", "/moving_variance"})
            result.push_back({layer.batch_norm + parameter, {channels}});
    return result;
}

std::vector<Variable> Graph::variables() const {
    std::vector<Variable> result;
    for (const Layer& layer : layers_)
        for (Variable& variable : variables(layer)) result.push_back(std::move(variable));
    std::sort(result.begin(), result.end(), [](const Variable& a, const Variable& b) {
        return a.name < b.name;
    });
    return result;
}

}  // namespace mirror
