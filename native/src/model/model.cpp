// Loading a model: the network's list of variables against the tensors of the file.
#include "model/model.h"

#include <algorithm>
#include <cmath>

#include "model/networks.h"

namespace mirror {

std::shared_ptr<const Model> Model::load(const std::string& path, const std::string& network) {
    SafeTensors file = SafeTensors::open(path);
    const std::string name = network.empty() ? file.metadata("network") : network;
    if (name.empty())
        fail(MIRROR_E_FORMAT,
             path,
             ": the metadata has no \"network\"; name the network, or import the model again");
    const auto known = network_names();
    if (network.empty() && std::find(known.begin(), known.end(), name) == known.end())
        fail(MIRROR_E_FORMAT,
             path,
             ": the metadata names network \"",
             name,
             "\", which this library does not know");
    Graph graph = build_network(name);
    return std::shared_ptr<const Model>(new Model(std::move(file), std::move(graph)));
}

Model::Model(SafeTensors file, Graph graph) : file_(std::move(file)), graph_(std::move(graph)) {
    for (const Variable& variable : graph_.variables()) {
        const Tensor* tensor = file_.find(variable.name);
        if (!tensor)
            fail(MIRROR_E_NOT_FOUND,
                 file_.path(),
                 ": tensor ",
                 variable.name,
                 " ",
                 shape_text(variable.shape),
                 " is missing; network ",
                 graph_.network(),
                 " needs it");
        file_.expect_dtype(*tensor, "F32");
        file_.expect_shape(*tensor, variable.shape);
        ++tensors_;
        parameters_ += tensor->elements();
    }
}

std::vector<float> Model::values(const std::string& variable) const {
    std::vector<float> result = file_.values<float>(file_.at(variable));
    for (size_t i = 0; i < result.size(); ++i)
        if (!std::isfinite(result[i]))
            fail(MIRROR_E_FORMAT,
                 file_.path(),
                 ": tensor ",
                 variable,
                 ", element ",
                 i,
                 " is ",
                 result[i]);
    return result;
}

}  // namespace mirror
