// The benchmark of the CUDA backend: mirror_tests --device cuda:N --bench [OPTION VALUE]...
#pragma once

#include <string>
#include <vector>

namespace test {

// Arguments after --bench. Returns the exit code.
int bench(const std::string& device, const std::vector<std::string>& arguments);

}  // namespace test
