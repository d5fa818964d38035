// The seven networks against golden outputs: float64 runs of the original's layer lists with
// generated weights. Everything through the C ABI, as a host would.
#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "base/json.h"
#include "extractor_fixture.h"
#include "model/safetensors.h"

namespace {

using mirror::SafeTensors;
using mirror::Tensor;

using namespace test;

// Largest error allowed, of the largest output.
struct Precision {
    int32_t value;
    const char* name;
    double tolerance;
};
constexpr Precision precisions[] = {{MIRROR_PRECISION_FP32, "fp32", 1e-5},
                                    {MIRROR_PRECISION_FP16, "fp16", 2e-3},
                                    {MIRROR_PRECISION_BF16, "bf16", 0.05}};

// The emulator takes a minute for a deep network in fp32: there the kernels' other networks stand
// for it.
bool left_to_hardware(const std::string& network, int32_t precision) {
    if (!emulated()) return false;
    const bool deep = network == "resnet-101" || network == "resnet-152";
    return precision != MIRROR_PRECISION_FP16 && (deep || std::getenv("MIRROR_KERNELS"));
}

// The golden image(s) [n, h, w, 3] minus the mean.
std::vector<float> network_input(const Tensor& image) {
    std::vector<float> input(image.bytes.size());
    for (size_t i = 0; i < input.size(); ++i)
        input[i] = static_cast<float>(image.bytes[i]) - means[i % 3];
    return input;
}

void check_network(const std::string& network) {
    const auto folder = test::source_path("tests/data/nets");
    const auto images = SafeTensors::open((folder / "images.safetensors").string());
    const auto outputs = SafeTensors::open((folder / (network + ".safetensors")).string());
    const Device device = make_device();
    const Model model = generated_model(network);
    mirror_device_info device_info{};
    device_info.struct_size = sizeof device_info;
    CHECK_OK(mirror_device_get_info(device.get(), &device_info));
    CHECK(!outputs.tensors().empty());
    for (const Tensor& expected : outputs.tensors()) {
        const Tensor& image = images.at("image_" + expected.name.substr(7));
        const auto golden = outputs.values<float>(expected);
        for (const auto& [precision, precision_name, tolerance] : precisions) {
            if (!(device_info.precisions >> precision & 1)) continue;
            if (left_to_hardware(network, precision)) {
                std::printf("%s in %s is left to hardware\n", network.c_str(), precision_name);
                continue;
            }
            auto options =
                options_for(static_cast<int>(image.shape[1]), static_cast<int>(image.shape[2]));
            options.precision = precision;
            const Extractor extractor = make_extractor(device, model, options);
            const auto info = info_of(extractor);
            CHECK_EQ(info.map_height, expected.shape[1]);
            CHECK_EQ(info.map_width, expected.shape[2]);
            CHECK_EQ(info.dim, expected.shape[3]);
            const auto map = feature_map(extractor, network_input(image), image.shape[0]);
            const double error = relative_error(map, golden);
            std::printf("%s %s %s: error %.2g of the largest output\n",
                        network.c_str(),
                        expected.name.c_str() + 7,
                        precision_name,
                        error);
            CHECK_NEAR(error, 0, tolerance);
        }
    }
}

mirror::Json read_json(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return mirror::Json::parse(text.str());
}

}  // namespace

TEST(Networks_Googlenet_EqualsGolden) {
    check_network("googlenet");
}
TEST(Networks_HalfGooglenet_EqualsGolden) {
    check_network("half_googlenet");
}
TEST(Networks_GooglenetBn_EqualsGolden) {
    check_network("googlenet_bn");
}
TEST(Networks_GooglenetPlaces_EqualsGolden) {
    check_network("googlenet_places");
}
TEST(Networks_Resnet50_EqualsGolden) {
    check_network("resnet-50");
}
TEST(Networks_Resnet101_EqualsGolden) {
    check_network("resnet-101");
}
TEST(Networks_Resnet152_EqualsGolden) {
    check_network("resnet-152");
}

// A layer of every kind as the last one: its statistics tell the first wrong layer. The list is
// short because every layer costs a pipeline of its own.
TEST(Networks_StoppedAtALayer_HasItsGoldenStatistics) {
    const Device device = make_device();
    const auto images =
        SafeTensors::open(test::source_path("tests/data/nets/images.safetensors").string());
    const std::pair<std::string, std::vector<std::string>> networks[] = {
        {"googlenet",
         {"conv1_7x7_s2",
          "pool1_3x3_s2",
          "pool1_norm1",
          "conv2_norm2",
          "pool2_3x3_s2",
          "inception_3a_output",
          "inception_4c_pool"}},
        {"googlenet_bn",
         {"conv1_7x7_s2",
          "inception_3a_pool",
          "inception_3c_3x3",
          "inception_3c_output",
          "inception_5b_pool"}},
        {"resnet-50", {"conv1", "bn_conv1", "pool1", "res2a", "res2a_relu", "res3a_relu"}},
    };
    for (const auto& [network, wanted] : networks) {
        const auto golden = read_json(test::shared_path("golden/nets/" + network + ".layers.json"));
        const Model model = generated_model(network);
        const auto& [size, statistics] = golden.at("sizes").object("sizes")[0];
        const Tensor& image = images.at("image_" + size);
        size_t checked = 0;
        for (const auto& layer : statistics.at("layers").array("layers")) {
            const std::string& name = layer.at("name").string("name");
            if (std::find(wanted.begin(), wanted.end(), name) == wanted.end()) continue;
            auto options =
                options_for(static_cast<int>(image.shape[1]), static_cast<int>(image.shape[2]));
            options.layer = name.c_str();
            const auto map =
                feature_map(make_extractor(device, model, options), network_input(image), 1);
            double sum = 0;
            for (float value : map) sum += value;
            const double largest = std::max(std::abs(layer.at("min").number("min")),
                                            std::abs(layer.at("max").number("max")));
            CHECK_NEAR(sum / static_cast<double>(map.size()),
                       layer.at("mean").number("mean"),
                       1e-5 * largest);
            CHECK_NEAR(*std::max_element(map.begin(), map.end()),
                       layer.at("max").number("max"),
                       1e-5 * largest);
            CHECK_NEAR(*std::min_element(map.begin(), map.end()),
                       layer.at("min").number("min"),
                       1e-5 * largest);
            for (size_t i = 0; i < 4; ++i)
                CHECK_NEAR(
                    map[i], layer.at("first").array("first")[i].number("first"), 1e-5 * largest);
            ++checked;
        }
        CHECK_EQ(checked, wanted.size());
    }
}
