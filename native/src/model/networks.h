// The seven networks of MIRorR, by the original's names.
#pragma once

#include <span>
#include <string_view>

#include "model/graph.h"

namespace mirror {

std::span<const char* const> network_names();

// NOT_FOUND naming the network and listing the known ones.
Graph build_network(std::string_view name);

// One file each under networks/.
Graph googlenet();
Graph half_googlenet();
Graph googlenet_bn();
Graph googlenet_places();
Graph resnet(int depth);  // 50, 101 or 152

}  // namespace mirror
