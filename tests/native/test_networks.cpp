// The seven networks against golden outputs: float64 runs of the original's layer lists with
// generated weights. Everything through the C ABI, as a host would.
#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "base/json.h"
#include "handles.h"
#include "harness.h"
#include "model/networks.h"
#include "model/safetensors.h"
#include "retrieval/regions.h"
#include "weights.h"

namespace {

using mirror::SafeTensors;
using mirror::Tensor;

constexpr float means[] = {124, 117, 104};

using test::cpu;
using test::Device;
using test::Extractor;
using test::Model;

// A model with generated weights. The file is removed at once: the mapping keeps its contents.
Model generated_model(const std::string& network) {
    const std::string path = test::write_model(network, test::scratch_folder().string());
    mirror_model* model = nullptr;
    CHECK_OK(mirror_model_load(&model, path.c_str(), nullptr));
#if !defined(_WIN32)
    std::filesystem::remove(path);
#endif
    return Model(model);
}

mirror_extractor_options options_for(int height, int width) {
    mirror_extractor_options options;
    mirror_extractor_options_init(&options);
    options.height = height;
    options.width = width;
    options.step_count = 1;
    options.steps[0] = 1;
    return options;
}

Extractor make_extractor(const Device& device,
                         const Model& model,
                         const mirror_extractor_options& options) {
    mirror_extractor* extractor = nullptr;
    CHECK_OK(mirror_extractor_create(&extractor, device.get(), model.get(), &options));
    return Extractor(extractor);
}

mirror_extractor_info info_of(const Extractor& extractor) {
    mirror_extractor_info info{};
    info.struct_size = sizeof info;
    CHECK_OK(mirror_extractor_get_info(extractor.get(), &info));
    return info;
}

// The golden image(s) [n, h, w, 3] minus the mean.
std::vector<float> network_input(const Tensor& image) {
    std::vector<float> input(image.bytes.size());
    for (size_t i = 0; i < input.size(); ++i)
        input[i] = static_cast<float>(image.bytes[i]) - means[i % 3];
    return input;
}

std::vector<float> feature_map(const Extractor& extractor,
                               const std::vector<float>& input,
                               int64_t count) {
    const auto info = info_of(extractor);
    std::vector<float> map(
        static_cast<size_t>(count * info.map_height * info.map_width * info.dim));
    CHECK_OK(mirror_extractor_run_map(extractor.get(), input.data(), count, map.data(), nullptr));
    return map;
}

// max |a - b| / max |b|
double relative_error(const std::vector<float>& a, const std::vector<float>& b) {
    CHECK_EQ(a.size(), b.size());
    double error = 0, largest = 0;
    for (size_t i = 0; i < a.size(); ++i) {
        error = std::max(error, std::abs(static_cast<double>(a[i]) - b[i]));
        largest = std::max(largest, std::abs(static_cast<double>(b[i])));
    }
    return error / largest;
}

void check_network(const std::string& network) {
    const auto folder = test::source_path("tests/data/nets");
    const auto images = SafeTensors::open((folder / "images.safetensors").string());
    const auto outputs = SafeTensors::open((folder / (network + ".safetensors")).string());
    const Device device = cpu();
    const Model model = generated_model(network);
    mirror_device_info device_info{};
    device_info.struct_size = sizeof device_info;
    CHECK_OK(mirror_device_get_info(device.get(), &device_info));
    CHECK(!outputs.tensors().empty());
    for (const Tensor& expected : outputs.tensors()) {
        const Tensor& image = images.at("image_" + expected.name.substr(7));
        const auto golden = outputs.values<float>(expected);
        for (const int32_t precision : {MIRROR_PRECISION_FP32, MIRROR_PRECISION_BF16}) {
            if (!(device_info.precisions >> precision & 1)) continue;
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
                        precision == MIRROR_PRECISION_FP32 ? "fp32" : "bf16",
                        error);
            CHECK_NEAR(error, 0, precision == MIRROR_PRECISION_FP32 ? 1e-5 : 0.05);
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

// Every layer can be the last; its statistics tell the first wrong one.
TEST(Networks_EveryLayer_HasGoldenStatistics) {
    const Device device = cpu();
    const auto images =
        SafeTensors::open(test::source_path("tests/data/nets/images.safetensors").string());
    for (const std::string network : {"googlenet", "googlenet_bn", "resnet-50"}) {
        const auto golden = read_json(test::shared_path("golden/nets/" + network + ".layers.json"));
        const Model model = generated_model(network);
        const auto graph = mirror::build_network(network);
        const auto& [size, statistics] = golden.at("sizes").object("sizes")[0];
        const Tensor& image = images.at("image_" + size);
        size_t checked = 0;
        for (const auto& layer : statistics.at("layers").array("layers")) {
            const std::string& name = layer.at("name").string("name");
            const auto& layers = graph.layers();
            if (std::none_of(
                    layers.begin(), layers.end(), [&](const auto& l) { return l.name == name; }))
                continue;
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
        CHECK_EQ(checked + 1, graph.layers().size());
    }
}

TEST(Extractor_WithBatches_EqualsSingleImages) {
    const Device device = cpu();
    const Model model = generated_model("half_googlenet");
    auto options = options_for(97, 130);
    const auto input = test::Rng().floats(5 * 97 * 130 * 3, -120, 130);
    const auto single = feature_map(make_extractor(device, model, options), input, 5);
    options.batch = 3;  // chunks of 3 and 2
    const auto batched = feature_map(make_extractor(device, model, options), input, 5);
    CHECK_NEAR(relative_error(batched, single), 0, 1e-6);
}

TEST(Extractor_MultiScale_RunsSubsampledInputs) {
    const Device device = cpu();
    const Model model = generated_model("half_googlenet");
    constexpr int side = 448, half = side / 2;
    const auto input = test::Rng().floats(2 * side * side * 3, -120, 130);
    std::vector<float> smaller;
    for (int y = 0; y < 2 * side; y += 2)
        for (int x = 0; x < side; x += 2)
            for (int c = 0; c < 3; ++c)
                smaller.push_back(input[static_cast<size_t>((y * side + x) * 3 + c)]);

    auto run = [&](int size, bool multi_scale, const std::vector<float>& from) {
        auto options = options_for(size, size);
        options.batch = 2;
        options.multi_scale = multi_scale;
        options.step_count = 2;
        options.steps[1] = 2;
        const Extractor extractor = make_extractor(device, model, options);
        const auto info = info_of(extractor);
        CHECK_EQ(info.regions, multi_scale ? 10 : 5);
        test::Guarded<float> out(static_cast<size_t>(2 * info.regions * info.dim));
        CHECK_OK(mirror_extractor_run_input(extractor.get(), from.data(), 2, out.data(), nullptr));
        out.check();
        return out.values();
    };
    const auto both = run(side, true, input);
    const auto large = run(side, false, input), small = run(half, false, smaller);
    constexpr size_t block = 5 * 512;
    for (size_t image = 0; image < 2; ++image)
        for (size_t i = 0; i < block; ++i) {
            CHECK_EQ(both[image * 2 * block + i], large[image * block + i]);
            CHECK_EQ(both[(image * 2 + 1) * block + i], small[image * block + i]);
        }
}

TEST(Extractor_Run_EqualsPreprocessThenRunInput) {
    const Device device = cpu();
    const Model model = generated_model("half_googlenet");
    auto options = options_for(96, 96);
    options.batch = 2;
    const Extractor extractor = make_extractor(device, model, options);
    test::Rng rng;
    std::vector<uint8_t> pixels(150 * 120 * 3);
    for (auto& pixel : pixels) pixel = static_cast<uint8_t>(rng.next());
    const mirror_image images[] = {{pixels.data(), 150, 120, 450, MIRROR_FORMAT_RGB8, 0},
                                   {pixels.data(), 100, 110, 400, MIRROR_FORMAT_RGBA8, 0},
                                   {pixels.data(), 60, 90, 60, MIRROR_FORMAT_GRAY8, 0}};
    std::vector<float> input(3 * 96 * 96 * 3), expected(3 * 512), actual(3 * 512);
    for (size_t i = 0; i < 3; ++i)
        CHECK_OK(mirror_preprocess(
            device.get(), &images[i], 96, 96, means, input.data() + i * 96 * 96 * 3));
    CHECK_OK(
        mirror_extractor_run_input(extractor.get(), input.data(), 3, expected.data(), nullptr));
    CHECK_OK(mirror_extractor_run(extractor.get(), images, 3, actual.data(), nullptr));
    CHECK(actual == expected);
}

TEST(Extractor_AfterParentsDestroyed_StillWorks) {
    Device device = cpu();
    Model model = generated_model("half_googlenet");
    const Extractor extractor = make_extractor(device, model, options_for(64, 64));
    device.reset();
    model.reset();
    CHECK_EQ(feature_map(extractor, test::Rng().floats(64 * 64 * 3), 1).size(), 2u * 2u * 512u);
}

TEST(Extractor_Cancelled_StopsBetweenChunks) {
    const Device device = cpu();
    const Model model = generated_model("half_googlenet");
    const Extractor extractor = make_extractor(device, model, options_for(64, 64));
    const auto input = test::Rng().floats(4 * 64 * 64 * 3);
    std::vector<float> out(4 * 512);
    int64_t last = -1;
    struct State {
        int64_t* last;
    } state{&last};
    const mirror_progress progress{[](int64_t done, int64_t total, void* data) -> int32_t {
                                       *static_cast<State*>(data)->last = done;
                                       return total == 4 && done == 2;
                                   },
                                   &state};
    CHECK_FAILS(mirror_extractor_run_input(extractor.get(), input.data(), 4, out.data(), &progress),
                MIRROR_E_CANCELLED,
                "2 of 4");
    CHECK_EQ(last, 2);
}

TEST(Extractor_BadOptions_NameTheValue) {
    const Device device = cpu();
    const Model model = generated_model("half_googlenet");
    auto check = [&](auto change, mirror_status status, const char* message) {
        auto options = options_for(224, 224);
        change(options);
        mirror_extractor* extractor = nullptr;
        CHECK_FAILS(mirror_extractor_create(&extractor, device.get(), model.get(), &options),
                    status,
                    message);
        CHECK(extractor == nullptr);
    };
    using Options = mirror_extractor_options&;
    check([](Options o) { o.struct_size = 4; }, MIRROR_E_INVALID_ARGUMENT, "struct_size is 4");
    check([](Options o) { o.batch = 0; }, MIRROR_E_INVALID_ARGUMENT, "batch is 0");
    check([](Options o) { o.width = 0; }, MIRROR_E_INVALID_ARGUMENT, "width is 0");
    check([](Options o) { o.height = 70000; }, MIRROR_E_INVALID_ARGUMENT, "height is 70000");
    check([](Options o) { o.pool = 3; }, MIRROR_E_INVALID_ARGUMENT, "pool is 3");
    check([](Options o) { o.precision = 7; }, MIRROR_E_INVALID_ARGUMENT, "precision is 7");
    check(
        [](Options o) { o.precision = MIRROR_PRECISION_FP16; }, MIRROR_E_INVALID_ARGUMENT, "fp16");
    check([](Options o) { o.step_count = 9; }, MIRROR_E_INVALID_ARGUMENT, "step_count is 9");
    check([](Options o) { o.mean[1] = NAN; }, MIRROR_E_INVALID_ARGUMENT, "mean is nan");
    check([](Options o) { o.layer = "no_such"; }, MIRROR_E_NOT_FOUND, "no_such");
    check([](Options o) { o.layer = "data"; }, MIRROR_E_INVALID_ARGUMENT, "data");
    check([](Options o) { o.multi_scale = 1, o.width = o.height = 512; },
          MIRROR_E_INVALID_ARGUMENT,
          "512 x 512");
}

TEST(Extractor_BelowMinimum_NamesIt) {
    const Device device = cpu();
    const Model model = generated_model("resnet-50");
    const auto options = options_for(300, 192);
    mirror_extractor* extractor = nullptr;
    CHECK_FAILS(mirror_extractor_create(&extractor, device.get(), model.get(), &options),
                MIRROR_E_INVALID_ARGUMENT,
                "192 x 300 pixels, but resnet-50 needs at least 193 x 193");
}

TEST(Extractor_BadImage_NamesIt) {
    const Device device = cpu();
    const Model model = generated_model("half_googlenet");
    const Extractor extractor = make_extractor(device, model, options_for(64, 64));
    std::vector<uint8_t> pixels(64 * 64 * 3);
    const mirror_image good{pixels.data(), 64, 64, 192, MIRROR_FORMAT_RGB8, 0};
    std::vector<float> out(2 * 512);
    auto check = [&](auto change, const char* message) {
        mirror_image images[] = {good, good};
        change(images[1]);
        CHECK_FAILS(mirror_extractor_run(extractor.get(), images, 2, out.data(), nullptr),
                    MIRROR_E_INVALID_ARGUMENT,
                    message);
    };
    check([](mirror_image& i) { i.data = nullptr; }, "images[1].data is NULL");
    check([](mirror_image& i) { i.width = 0; }, "images[1].width is 0");
    check([](mirror_image& i) { i.stride = 191; }, "images[1].stride is 191");
    check([](mirror_image& i) { i.format = 9; }, "images[1].format is 9");
    CHECK_FAILS(mirror_extractor_run(extractor.get(), &good, -1, out.data(), nullptr),
                MIRROR_E_INVALID_ARGUMENT,
                "count is -1");
    CHECK_OK(mirror_extractor_run(extractor.get(), nullptr, 0, nullptr, nullptr));
}
