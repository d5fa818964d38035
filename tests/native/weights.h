// Models for tests: a network's variables made by a seeded generator, so that nobody stores
// hundreds of megabytes. The golden outputs of tests/data/nets were computed from exactly these
// values with seed 1.
#pragma once

#include <string>

#include "model/graph.h"

namespace test {

// The values of one variable; `network` matters for the first kernel only.
std::vector<float> generate(const mirror::Variable& variable,
                            const std::string& network,
                            uint64_t seed = 1);

// Writes NETWORK.safetensors with all needed variables into `folder` and returns its path.
std::string write_model(const std::string& network, const std::string& folder);

}  // namespace test
