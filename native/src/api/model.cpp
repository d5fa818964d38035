// Networks and models: mirror_network_*, mirror_model_*.
#include "model/model.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "api/handles.h"
#include "model/graph_json.h"
#include "model/networks.h"
#include "plan/plan.h"

namespace mirror {
namespace {

// Copies into a fixed field, cut at a whole UTF-8 character where it does not fit.
template <size_t N>
void copy_text(const std::string& from, char (&to)[N]) {
    size_t length = std::min(from.size(), N - 1);
    while (length < from.size() && length > 0 &&
           (static_cast<uint8_t>(from[length]) & 0xC0) == 0x80)
        --length;
    std::memset(to, 0, N);
    std::memcpy(to, from.data(), length);
}

mirror_tensor_info describe(const Variable& variable) {
    mirror_tensor_info info{
        sizeof info, static_cast<int32_t>(variable.shape.size()), {1, 1, 1, 1}, {}};
    std::copy(variable.shape.begin(), variable.shape.end(), info.dims);
    copy_text(variable.name, info.name);
    return info;
}

// By network.
const std::map<std::string, std::string, std::less<>>& graphs() {
    static const auto all = [] {
        std::map<std::string, std::string, std::less<>> result;
        for (const char* name : network_names())
            result.emplace(name, graph_json(build_network(name)));
        return result;
    }();
    return all;
}

}  // namespace
}  // namespace mirror

extern "C" {

int32_t mirror_network_count(void) {
    return static_cast<int32_t>(mirror::network_names().size());
}

const char* mirror_network_name(int32_t index) {
    const auto names = mirror::network_names();
    return index >= 0 && static_cast<size_t>(index) < names.size()
               ? names[static_cast<size_t>(index)]
               : nullptr;
}

mirror_status mirror_network_variables(const char* network,
                                       mirror_tensor_info* out,
                                       int64_t capacity,
                                       int64_t* out_count) {
    using namespace mirror;
    return guard([&] {
        const auto variables = build_network(&checked(network, "network")).variables();
        const auto count = static_cast<int64_t>(variables.size());
        checked(out_count, "out_count") = count;
        if (!out) return;
        require(capacity >= count,
                "capacity is ",
                capacity,
                ", but network ",
                network,
                " has ",
                count,
                " variables");
        for (int64_t i = 0; i < count; ++i) checked_struct(out + i, "out");
        std::transform(variables.begin(), variables.end(), out, describe);
    });
}

mirror_status mirror_network_graph(const char* network, const char** out_json) {
    using namespace mirror;
    return guard([&] {
        const char*& out = checked(out_json, "out_json");
        const char& name = checked(network, "network");
        const auto found = graphs().find(&name);
        if (found == graphs().end()) build_network(&name);  // fails, naming those there are
        out = found->second.c_str();
    });
}

mirror_status mirror_model_load(mirror_model** out, const char* path, const char* network) {
    using namespace mirror;
    return guard([&] {
        checked(out, "out") = nullptr;
        *out = new mirror_model(Model::load(&checked(path, "path"), network ? network : ""));
    });
}

void mirror_model_destroy(mirror_model* model) {
    delete model;
}

mirror_status mirror_model_get_info(const mirror_model* model, mirror_model_info* out) {
    using namespace mirror;
    return guard([&] {
        const Model& source = *checked(model, "model").object;
        mirror_model_info& info = checked_struct(out, "out");
        const Graph& graph = source.graph();
        info.channels = graph.layers().back().channels;
        info.min_size = min_size(graph, "");
        info.tensors = static_cast<int32_t>(source.tensors());
        info.parameters = source.parameters();
        copy_text(graph.network(), info.network);
        copy_text(source.file().metadata("origin"), info.origin);
    });
}

}  // extern "C"
