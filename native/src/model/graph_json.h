// A network's graph as JSON, for exporters to other formats.
#pragma once

#include <string>

#include "model/graph.h"

namespace mirror {

// The object that mirror_network_graph documents.
std::string graph_json(const Graph& graph);

}  // namespace mirror
