// The table from names to builders.
#include "model/networks.h"

#include <array>

#include "base/error.h"

namespace mirror {
namespace {

constexpr std::array names = {"googlenet",
                              "half_googlenet",
                              "googlenet_bn",
                              "googlenet_places",
                              "resnet-50",
                              "resnet-101",
                              "resnet-152"};
const std::array<Graph (*)(), names.size()> builders = {googlenet,
                                                        half_googlenet,
                                                        googlenet_bn,
                                                        googlenet_places,
                                                        [] { return resnet(50); },
                                                        [] { return resnet(101); },
                                                        [] { return resnet(152); }};

}  // namespace

std::span<const char* const> network_names() {
    return names;
}

Graph build_network(std::string_view name) {
    std::string known;
    for (size_t i = 0; i < names.size(); ++i) {
        if (name == names[i]) return builders[i]();
        known += text(i ? ", " : "", names[i]);
    }
    fail(MIRROR_E_NOT_FOUND, "unknown network \"", name, "\", expected one of ", known);
}

}  // namespace mirror
