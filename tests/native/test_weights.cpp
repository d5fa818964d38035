// The weight generator of weights.h, and its test: fnv1a64 of the name seeds a splitmix64 stream;
// arithmetic in double, rounded to float at the end.
#include <cmath>
#include <fstream>
#include <sstream>
#include <string_view>

#include "base/json.h"
#include "harness.h"
#include "model/networks.h"
#include "model/safetensors.h"
#include "weights.h"

namespace test {
namespace {

uint64_t fnv1a64(std::string_view text) {
    uint64_t h = 0xCBF29CE484222325u;
    for (char c : text) h = (h ^ static_cast<uint8_t>(c)) * 0x100000001B3u;
    return h;
}

uint64_t splitmix64(uint64_t x) {
    uint64_t z = x + 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

struct Range {
    double offset, unit, signed_unit;  // value = offset + unit * u + signed_unit * r
};

Range range_of(const mirror::Variable& variable, const std::string& network) {
    const std::string_view name = variable.name;
    if (name.ends_with("/bias")) return {0, 0, 0.1};
    if (name.ends_with("branch2c/gamma")) return {0.3, 0, 0.3 * 0.2};
    if (name.ends_with("/gamma")) return {1, 0, 0.2};
    if (name.ends_with("/beta")) return {0, 0, 0.2};
    if (name.ends_with("/moving_mean")) return {0, 0, 0.3};
    if (name.ends_with("/moving_variance")) return {0.5, 1, 0};
    const auto& shape = variable.shape;
    double scale = std::sqrt(6.0 / static_cast<double>(shape[0] * shape[1] * shape[2]));
    // Photographs reach 151, later activations do not; less is taken off where LRN should be
    // visible.
    if (shape[2] == 3) scale /= network == "googlenet" || network == "googlenet_places" ? 2 : 60;
    return {0, 0, scale};
}

}  // namespace

std::vector<float> generate(const mirror::Variable& variable,
                            const std::string& network,
                            uint64_t seed) {
    size_t count = 1;
    for (int64_t extent : variable.shape) count *= static_cast<size_t>(extent);
    const Range range = range_of(variable, network);
    const uint64_t base = splitmix64(fnv1a64(variable.name) ^ seed * 0x9E3779B97F4A7C15u);
    std::vector<float> values(count);
    for (size_t i = 0; i < count; ++i) {
        const double u = static_cast<double>(splitmix64(base + i) >> 11) * 0x1p-53;
        const double r = 2 * u - 1;
        values[i] = static_cast<float>(range.offset + range.unit * u + range.signed_unit * r);
    }
    return values;
}

std::string write_model(const std::string& network, const std::string& folder) {
    const auto variables = mirror::build_network(network).variables();
    std::vector<std::vector<float>> values;
    std::vector<mirror::Tensor> tensors;
    for (const auto& variable : variables) {
        values.push_back(generate(variable, network));
        tensors.push_back(
            {variable.name, "F32", variable.shape, std::as_bytes(std::span(values.back()))});
    }
    const std::string path = folder + "/" + network + ".safetensors";
    mirror::write_safetensors(
        path, tensors, {{"network", network}, {"origin", "generated, seed 1"}});
    return path;
}

}  // namespace test

TEST(WeightGenerator_AgainstSample_IsEqual) {
    std::ifstream file(test::shared_path("golden/nets/weights_sample.json"));
    std::stringstream text;
    text << file.rdbuf();
    const auto sample = mirror::Json::parse(text.str());
    const auto variables = mirror::build_network("googlenet_bn").variables();
    size_t checked = 0;
    for (const auto& [name, entry] : sample.object("sample")) {
        for (const auto& variable : variables) {
            if (variable.name != name) continue;
            const auto values = test::generate(variable, "googlenet_bn");
            const auto& first = entry.at("first").array("first");
            for (size_t i = 0; i < first.size(); ++i)
                CHECK_EQ(values[i], static_cast<float>(first[i].number("first")));
            CHECK_EQ(values.back(), static_cast<float>(entry.at("last").number("last")));
            ++checked;
        }
    }
    CHECK(checked > 0);
}
