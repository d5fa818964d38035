// A model: one network and the file with its variables, checked against each other when loaded.
#pragma once

#include <memory>

#include "model/graph.h"
#include "model/safetensors.h"

namespace mirror {

class Model {
  public:
    // network may be empty: taken from the file's metadata. Every needed variable is there, float32
    // and of the right shape afterwards; other tensors are ignored.
    static std::shared_ptr<const Model> load(const std::string& path, const std::string& network);

    const Graph& graph() const { return graph_; }
    const SafeTensors& file() const { return file_; }
    int64_t tensors() const { return tensors_; }
    int64_t parameters() const { return parameters_; }

    // The values of a variable the graph needs. FORMAT naming file, tensor and element where one is
    // not finite.
    std::vector<float> values(const std::string& variable) const;

  private:
    Model(SafeTensors file, Graph graph);

    SafeTensors file_;
    Graph graph_;
    int64_t tensors_ = 0;
    int64_t parameters_ = 0;
};

}  // namespace mirror
