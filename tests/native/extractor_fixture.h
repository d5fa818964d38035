// What tests of networks and extractors share: generated models, extractors over the C ABI, feature
// maps and their comparison.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "handles.h"
#include "weights.h"

namespace test {

constexpr float means[] = {124, 117, 104};

// A model with generated weights. The file is removed at once: the mapping keeps its contents.
inline Model generated_model(const std::string& network) {
    const std::string path = test::write_model(network, test::scratch_folder().string());
    mirror_model* model = nullptr;
    CHECK_OK(mirror_model_load(&model, path.c_str(), nullptr));
#if !defined(_WIN32)
    std::filesystem::remove(path);
#endif
    return Model(model);
}

inline mirror_extractor_options options_for(int height, int width) {
    mirror_extractor_options options;
    mirror_extractor_options_init(&options);
    options.height = height;
    options.width = width;
    options.step_count = 1;
    options.steps[0] = 1;
    return options;
}

inline Extractor make_extractor(const Device& device,
                                const Model& model,
                                const mirror_extractor_options& options) {
    mirror_extractor* extractor = nullptr;
    CHECK_OK(mirror_extractor_create(&extractor, device.get(), model.get(), &options));
    return Extractor(extractor);
}

inline mirror_extractor_info info_of(const Extractor& extractor) {
    mirror_extractor_info info{};
    info.struct_size = sizeof info;
    CHECK_OK(mirror_extractor_get_info(extractor.get(), &info));
    return info;
}

inline std::vector<float> feature_map(const Extractor& extractor,
                                      const std::vector<float>& input,
                                      int64_t count) {
    const auto info = info_of(extractor);
    std::vector<float> map(
        static_cast<size_t>(count * info.map_height * info.map_width * info.dim));
    CHECK_OK(mirror_extractor_run_map(extractor.get(), input.data(), count, map.data(), nullptr));
    return map;
}

// max |a - b| / max |b|
inline double relative_error(const std::vector<float>& a, const std::vector<float>& b) {
    CHECK_EQ(a.size(), b.size());
    double error = 0, largest = 0;
    for (size_t i = 0; i < a.size(); ++i) {
        error = std::max(error, std::abs(static_cast<double>(a[i]) - b[i]));
        largest = std::max(largest, std::abs(static_cast<double>(b[i])));
    }
    return error / largest;
}

}  // namespace test
