// The extractor through the C ABI: chunks, scales, picture formats, cancellation, lifetimes, and
// the message of every refused option.
#include "extractor_fixture.h"

using namespace test;

TEST(Extractor_WithBatches_EqualsSingleImages) {
    const Device device = make_device();
    const Model model = generated_model("half_googlenet");
    auto options = options_for(97, 130);
    const auto input = test::Rng().floats(5 * 97 * 130 * 3, -120, 130);
    const auto single = feature_map(make_extractor(device, model, options), input, 5);
    options.batch = 3;  // chunks of 3 and 2
    const auto batched = feature_map(make_extractor(device, model, options), input, 5);
    CHECK_NEAR(relative_error(batched, single), 0, 1e-6);
}

TEST(Extractor_MultiScale_RunsSubsampledInputs) {
    const Device device = make_device();
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
    const Device device = make_device();
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
        CHECK_OK(mirror_preprocess(device.get(),
                                   &images[i],
                                   96,
                                   96,
                                   MIRROR_FIT_CROP,
                                   means,
                                   input.data() + i * 96 * 96 * 3));
    CHECK_OK(
        mirror_extractor_run_input(extractor.get(), input.data(), 3, expected.data(), nullptr));
    CHECK_OK(mirror_extractor_run(extractor.get(), images, 3, actual.data(), nullptr));
    CHECK(actual == expected);
}

// The whole pipeline from its parts: preprocessing and regions of the whole picture, GeM.
TEST(Extractor_WholeWithGem_EqualsItsParts) {
    const Device device = make_device();
    const Model model = generated_model("half_googlenet");
    auto options = options_for(96, 161);
    options.fit = MIRROR_FIT_WHOLE;
    options.pool = MIRROR_POOL_GEM;
    options.gem_p = 2.5f;
    options.step_count = 2;
    options.steps[1] = 5;  // more windows than the map has rows
    const Extractor extractor = make_extractor(device, model, options);
    const auto info = info_of(extractor);
    CHECK_EQ(info.regions, 26);
    test::Rng rng;
    std::vector<uint8_t> pixels(150 * 120 * 3);
    for (auto& pixel : pixels) pixel = static_cast<uint8_t>(rng.next());
    const mirror_image image{pixels.data(), 150, 120, 450, MIRROR_FORMAT_RGB8, 0};
    std::vector<float> input(96 * 161 * 3), expected(26 * 512), actual(26 * 512);
    CHECK_OK(
        mirror_preprocess(device.get(), &image, 96, 161, MIRROR_FIT_WHOLE, means, input.data()));
    const auto map = feature_map(extractor, input, 1);
    CHECK_OK(mirror_region_pool(device.get(),
                                map.data(),
                                1,
                                info.map_height,
                                info.map_width,
                                info.dim,
                                MIRROR_FIT_WHOLE,
                                options.steps,
                                2,
                                MIRROR_POOL_GEM,
                                2.5f,
                                expected.data()));
    CHECK_OK(mirror_extractor_run(extractor.get(), &image, 1, actual.data(), nullptr));
    CHECK(actual == expected);
}

TEST(Extractor_WholeMultiScale_HasThreeScalesOfAnySize) {
    const Device device = make_device();
    const Model model = generated_model("half_googlenet");
    constexpr int height = 97, width = 130;
    const auto input = test::Rng().floats(height * width * 3, -120, 130);
    auto options = options_for(height, width);
    options.fit = MIRROR_FIT_WHOLE, options.multi_scale = 1;
    const Extractor all = make_extractor(device, model, options);
    CHECK_EQ(info_of(all).scales, 3);
    CHECK_EQ(info_of(all).regions, 3);
    std::vector<float> rows(3 * 512), row(512);
    CHECK_OK(mirror_extractor_run_input(all.get(), input.data(), 1, rows.data(), nullptr));
    options.multi_scale = 0;
    for (int scale = 0; scale < 3; ++scale) {
        const int every = 1 << scale;
        std::vector<float> smaller;
        options.height = options.width = 0;
        for (int y = 0; y < height; y += every, ++options.height)
            for (int x = 0; x < width; x += every)
                smaller.insert(smaller.end(),
                               &input[static_cast<size_t>((y * width + x) * 3)],
                               &input[static_cast<size_t>((y * width + x) * 3)] + 3);
        options.width = static_cast<int32_t>(smaller.size()) / 3 / options.height;
        const Extractor one = make_extractor(device, model, options);
        CHECK_OK(mirror_extractor_run_input(one.get(), smaller.data(), 1, row.data(), nullptr));
        CHECK(std::equal(row.begin(), row.end(), rows.begin() + scale * 512));
    }
}

TEST(Extractor_AfterParentsDestroyed_StillWorks) {
    Device device = make_device();
    Model model = generated_model("half_googlenet");
    const Extractor extractor = make_extractor(device, model, options_for(64, 64));
    device.reset();
    model.reset();
    CHECK_EQ(feature_map(extractor, test::Rng().floats(64 * 64 * 3), 1).size(), 2u * 2u * 512u);
}

TEST(Extractor_Cancelled_StopsBetweenChunks) {
    const Device device = make_device();
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
    const Device device = make_device();
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
    check([](Options o) { o.pool = 4; }, MIRROR_E_INVALID_ARGUMENT, "pool is 4");
    check([](Options o) { o.pool = MIRROR_POOL_GEM, o.gem_p = 0; },
          MIRROR_E_INVALID_ARGUMENT,
          "gem_p is 0");
    check([](Options o) { o.fit = -1; }, MIRROR_E_INVALID_ARGUMENT, "fit is -1");
    check([](Options o) { o.precision = 7; }, MIRROR_E_INVALID_ARGUMENT, "precision is 7");
    if (!test::on_gpu())
        check([](Options o) { o.precision = MIRROR_PRECISION_FP16; },
              MIRROR_E_INVALID_ARGUMENT,
              "fp16");
    check([](Options o) { o.step_count = 9; }, MIRROR_E_INVALID_ARGUMENT, "step_count is 9");
    check([](Options o) { o.mean[1] = NAN; }, MIRROR_E_INVALID_ARGUMENT, "mean is nan");
    check([](Options o) { o.layer = "no_such"; }, MIRROR_E_NOT_FOUND, "no_such");
    check([](Options o) { o.layer = "data"; }, MIRROR_E_INVALID_ARGUMENT, "data");
    check([](Options o) { o.multi_scale = 1, o.width = o.height = 512; },
          MIRROR_E_INVALID_ARGUMENT,
          "512 x 512");
}

TEST(Extractor_BelowMinimum_NamesIt) {
    const Device device = make_device();
    const Model model = generated_model("resnet-50");
    const auto options = options_for(300, 192);
    mirror_extractor* extractor = nullptr;
    CHECK_FAILS(mirror_extractor_create(&extractor, device.get(), model.get(), &options),
                MIRROR_E_INVALID_ARGUMENT,
                "192 x 300 pixels, but resnet-50 needs at least 193 x 193");
    auto scales = options_for(769, 768);
    scales.fit = MIRROR_FIT_WHOLE, scales.multi_scale = 1;
    CHECK_FAILS(mirror_extractor_create(&extractor, device.get(), model.get(), &scales),
                MIRROR_E_INVALID_ARGUMENT,
                "768 x 769 pixels: a quarter of it is 192 x 193, but resnet-50 needs at least 193");
}

TEST(Extractor_BadImage_NamesIt) {
    const Device device = make_device();
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

TEST(Extractor_OddStridesAndFormats_GiveTheSameRows) {
    const Device device = make_device();
    const Model model = generated_model("half_googlenet");
    const Extractor extractor = make_extractor(device, model, options_for(64, 80));
    constexpr int width = 97, height = 71;
    Rng rng;
    std::vector<uint8_t> grey(width * height);
    for (auto& value : grey) value = static_cast<uint8_t>(rng.next());
    // One grey picture in four formats, each with rows of an odd length and rubbish between them.
    std::vector<std::vector<uint8_t>> buffers;
    std::vector<mirror_image> images;
    for (const auto& [format, pixel] : {std::pair{MIRROR_FORMAT_RGB8, 3},
                                        {MIRROR_FORMAT_RGBA8, 4},
                                        {MIRROR_FORMAT_BGRA8, 4},
                                        {MIRROR_FORMAT_GRAY8, 1}}) {
        const int stride = width * pixel + 7 + 2 * pixel;
        std::vector<uint8_t> bytes(static_cast<size_t>(stride) * height, 0xEE);
        for (int y = 0; y < height; ++y)
            for (int x = 0; x < width; ++x)
                for (int c = 0; c < std::min(pixel, 3); ++c)
                    bytes[static_cast<size_t>(y * stride + x * pixel + c)] =
                        grey[static_cast<size_t>(y * width + x)];
        // The last row ends with its last pixel: reading its padding is an error of memory.
        bytes.resize(static_cast<size_t>(stride) * (height - 1) + width * pixel);
        bytes.shrink_to_fit();
        buffers.push_back(std::move(bytes));
        images.push_back({buffers.back().data(), width, height, stride, format, 0});
    }
    Guarded<float> out(4 * 512);
    CHECK_OK(mirror_extractor_run(extractor.get(), images.data(), 4, out.data(), nullptr));
    out.check();
    for (size_t i = 512; i < out.size(); ++i) CHECK_EQ(out[i], out[i % 512]);
}
