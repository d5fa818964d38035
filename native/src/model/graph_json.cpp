// See graph_json.h.
#include "model/graph_json.h"

#include <charconv>

#include "base/error.h"
#include "base/json.h"

namespace mirror {
namespace {

const char* kind_name(LayerKind kind) {
    constexpr const char* names[] = {
        "input", "conv", "batch_norm", "relu", "add", "max_pool", "avg_pool", "lrn", "concat"};
    return names[static_cast<int>(kind)];
}

// The shortest digits that read back as the same float.
std::string digits(float value) {
    char text[32];
    return std::string(text, std::to_chars(text, text + sizeof text, value).ptr);
}

const char* boolean(bool value) {
    return value ? "true" : "false";
}

std::string layer_json(const Layer& layer) {
    std::string inputs;
    for (const int input : layer.inputs) inputs += text(inputs.empty() ? "" : ",", input);
    std::string json = text("{\"name\":",
                            json_quote(layer.name),
                            ",\"kind\":",
                            json_quote(kind_name(layer.kind)),
                            ",\"inputs\":[",
                            inputs,
                            "],\"channels\":",
                            layer.channels);
    const bool window = layer.kind == LayerKind::conv || layer.kind == LayerKind::max_pool ||
                        layer.kind == LayerKind::avg_pool;
    if (window)
        json += text(",\"kernel\":",
                     layer.kernel,
                     ",\"stride\":",
                     layer.stride,
                     ",\"pad\":",
                     layer.padding.same ? -1 : layer.padding.amount);
    if (layer.kind == LayerKind::conv) json += text(",\"bias\":", boolean(layer.bias));
    if (!layer.batch_norm.empty()) json += text(",\"batch_norm\":", json_quote(layer.batch_norm));
    if (layer.kind == LayerKind::lrn)
        json += text(",\"radius\":",
                     layer.lrn.radius,
                     ",\"alpha\":",
                     digits(layer.lrn.alpha),
                     ",\"beta\":",
                     digits(layer.lrn.beta),
                     ",\"lrn_bias\":",
                     digits(layer.lrn.bias));
    return json + text(",\"relu\":", boolean(layer.relu), "}");
}

}  // namespace

std::string graph_json(const Graph& graph) {
    std::string layers;
    for (const Layer& layer : graph.layers())
        layers += (layers.empty() ? "" : ",") + layer_json(layer);
    return text("{\"network\":", json_quote(graph.network()), ",\"layers\":[", layers, "]}");
}

}  // namespace mirror
