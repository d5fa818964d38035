// What goes wrong on a GPU, planted in the emulated driver of tests/simt: memory that does not
// suffice, a lost device, one of several GPUs that fails. Skipped on hardware.
#if MIRROR_HAS_CUDA
#include <cstring>
#include <thread>

#include "cuda_fixture.h"

using namespace test;

TEST(Cuda_OutOfMemory_HalvesTheBatchAndSaysSoOnce) {
    Emulator emulator;
    const Device device = make_device();
    const Model model = generated_model("half_googlenet");
    const auto input = Rng().floats(9 * 96 * 96 * 3, -120, 130);
    auto options = options_for(96, 96);
    const auto want = descriptors(make_extractor(device, model, options), input, 9);
    options.batch = 8;
    const int64_t arena = info_of(make_extractor(device, model, options)).arena_bytes;
    emulator.set("memory",
                 emulator.get("used") +
                     info_of(make_extractor(device, model, options)).weight_bytes + arena * 3 / 4);
    const Log log;
    CHECK(relative_error(descriptors(make_extractor(device, model, options), input, 9), want) <
          1e-6);
    CHECK(log.has("a batch of 8 images does not fit, going on with 4"));
    CHECK(log.text().find("going on") == log.text().rfind("going on"));
}

TEST(Cuda_IndexBeyondMemory_SaysWhatItNeedsAndKeepsWhatItHas) {
    Emulator emulator;
    const TestDevice device;
    constexpr int64_t n = 64, regions = 35, dim = 256;
    auto rows = Rng().floats(n * regions * dim);
    CHECK_OK(mirror_l2_normalize(device, rows.data(), n * regions, dim, rows.data()));
    mirror_index* index = nullptr;
    CHECK_OK(mirror_index_create(&index, device, regions, dim, MIRROR_PRECISION_FP32));
    CHECK_OK(mirror_index_add(index, rows.data(), 2));
    emulator.set("memory", emulator.get("used") + (1 << 20));
    CHECK_FAILS(mirror_index_add(index, rows.data(), n),
                MIRROR_E_OUT_OF_MEMORY,
                "cannot hold 64 more images beside 2: they need 3 MiB");
    int64_t size = 0;
    CHECK_OK(mirror_index_size(index, &size));
    CHECK_EQ(size, 2);
    mirror_index_destroy(index);
}

TEST(Cuda_FailedKernel_LosesTheDevice) {
    Emulator emulator;
    const Device device = make_device();
    const Model model = generated_model("half_googlenet");
    const Extractor extractor = make_extractor(device, model, options_for(96, 96));
    const auto input = Rng().floats(3 * 96 * 96 * 3, -120, 130);
    const auto info = info_of(extractor);
    std::vector<float> out(static_cast<size_t>(3 * info.regions * info.dim));
    const Log log;
    emulator.set("fail_launch", 100);  // within the second image
    const mirror_status first =
        mirror_extractor_run_input(extractor.get(), input.data(), 3, out.data(), nullptr);
    CHECK(first == MIRROR_E_CUDA || first == MIRROR_E_DEVICE_LOST);
    CHECK(std::strstr(mirror_last_error(), "CUDA_ERROR_ILLEGAL_ADDRESS") != nullptr);
    CHECK(log.has("is lost"));
    for (int i = 0; i < 2; ++i)
        CHECK_FAILS(
            mirror_extractor_run_input(extractor.get(), input.data(), 1, out.data(), nullptr),
            MIRROR_E_DEVICE_LOST,
            "is lost");
    float one = 1;
    CHECK_FAILS(
        mirror_l2_normalize(device.get(), &one, 1, 1, &one), MIRROR_E_DEVICE_LOST, "is lost");
}

TEST(Cuda_TwoGpus_ShareTheWorkWithTheSameResult) {
    Emulator emulator;
    const Device one = make_device();
    emulator.set("devices", 2);
    mirror_device* handle = nullptr;
    CHECK_OK(mirror_device_create(&handle, "cuda:1,0", 0));
    const Device two(handle);
    const Model model = generated_model("half_googlenet");
    const auto input = Rng().floats(5 * 96 * 96 * 3, -120, 130);
    auto options = options_for(96, 96);
    options.batch = 2;
    const auto want = descriptors(make_extractor(one, model, options), input, 5);
    CHECK(descriptors(make_extractor(two, model, options), input, 5) == want);
    CHECK_EQ(info_of(make_extractor(two, model, options)).images_at_once,
             2 * info_of(make_extractor(one, model, options)).images_at_once);
    const int dim = info_of(make_extractor(one, model, options)).dim;
    const auto found = [&](const Device& device) {
        mirror_index* index = nullptr;
        CHECK_OK(mirror_index_create(&index, device.get(), 1, dim, MIRROR_PRECISION_FP32));
        CHECK_OK(mirror_index_add(index, want.data(), 3));
        CHECK_OK(mirror_index_add(index, want.data() + 3 * dim, 2));
        mirror_search_options search;
        mirror_search_options_init(&search);
        search.top = 4;
        std::vector<int32_t> ids(20);
        std::vector<float> scores(20);
        CHECK_OK(mirror_index_search(index, want.data(), 5, &search, ids.data(), scores.data()));
        mirror_index_destroy(index);
        return std::pair(ids, scores);
    };
    CHECK(found(one) == found(two));
}

TEST(Cuda_EverythingDestroyed_LeavesNoDeviceMemory) {
    Emulator emulator;
    const long long before = emulator.get("live");
    {
        const Device device = make_device();
        const Model model = generated_model("half_googlenet");
        const Extractor extractor = make_extractor(device, model, options_for(96, 96));
        descriptors(extractor, Rng().floats(2 * 96 * 96 * 3, -120, 130), 2);
    }
    CHECK_EQ(emulator.get("live"), before);
}

TEST(Cuda_MemoryOfAnotherGpu_IsRefusedNamingBoth) {
    Emulator emulator;
    emulator.set("devices", 2);
    const TestDevice one;
    mirror_device* handle = nullptr;
    CHECK_OK(mirror_device_create(&handle, "cuda:0,1", 0));
    const Device two(handle);
    const DeviceFloats here(0, {1, 2}), there(1, {1, 2});
    float y[] = {1, 2};
    const char* both = "memory of cuda:1, but the device is cuda:0";
    CHECK_FAILS(mirror_l2_normalize(one, there.data(), 1, 2, y), MIRROR_E_INVALID_ARGUMENT, both);
    CHECK_FAILS(mirror_l2_normalize(one, y, 1, 2, there.data()), MIRROR_E_INVALID_ARGUMENT, both);
    CHECK_OK(mirror_l2_normalize(one, here.data(), 1, 2, y));
    CHECK_FAILS(mirror_l2_normalize(two.get(), here.data(), 1, 2, y),
                MIRROR_E_INVALID_ARGUMENT,
                "use one GPU");
    mirror_index* index = nullptr;
    CHECK_OK(mirror_index_create(&index, two.get(), 1, 2, MIRROR_PRECISION_FP32));
    CHECK_FAILS(mirror_index_add(index, here.data(), 1), MIRROR_E_INVALID_ARGUMENT, "use one GPU");
    mirror_index_destroy(index);
}

TEST(Cuda_TwoGpus_AddThatOneCannotHold_ChangesNeither) {
    Emulator emulator;
    emulator.set("devices", 2);
    mirror_device* handle = nullptr;
    CHECK_OK(mirror_device_create(&handle, "cuda:1", 0));
    const Device second(handle);
    CHECK_OK(mirror_device_create(&handle, "cuda:0,1", 0));
    const Device both(handle);
    constexpr int64_t n = 64;
    constexpr int32_t regions = 5, dim = 64;
    auto rows = Rng().floats(n * regions * dim);
    CHECK_OK(mirror_l2_normalize(second.get(), rows.data(), n * regions, dim, rows.data()));
    mirror_index *filler = nullptr, *index = nullptr;
    CHECK_OK(mirror_index_create(&filler, second.get(), regions, dim, MIRROR_PRECISION_FP32));
    CHECK_OK(mirror_index_add(filler, rows.data(), n));
    CHECK_OK(mirror_index_create(&index, both.get(), regions, dim, MIRROR_PRECISION_FP32));
    CHECK_OK(mirror_index_add(index, rows.data(), 2));
    emulator.set("memory", emulator.get("used") + 40000);  // of what takes 74 kB
    const float* more = rows.data() + 2 * regions * dim;
    CHECK_FAILS(mirror_index_add(index, more, n - 2),
                MIRROR_E_OUT_OF_MEMORY,
                "cuda:1 cannot hold 62 more images beside 2");
    int64_t size = 0;
    CHECK_OK(mirror_index_size(index, &size));
    CHECK_EQ(size, 2);
    mirror_index_destroy(filler);
    emulator.set("memory", int64_t{1} << 30);
    CHECK_OK(mirror_index_add(index, more, n - 2));
    mirror_search_options search;
    mirror_search_options_init(&search);
    search.top = 1;
    std::vector<int32_t> ids(n);
    std::vector<float> scores(n);
    CHECK_OK(mirror_index_search(index, rows.data(), n, &search, ids.data(), scores.data()));
    for (int32_t i = 0; i < n; ++i) CHECK_EQ(ids[static_cast<size_t>(i)], i);
    mirror_index_destroy(index);
}

// Descriptors so long that the queries of each GPU are two strips.
TEST(Cuda_TwoGpus_SearchReportsAndStops) {
    Emulator emulator;
    emulator.set("devices", 2);
    mirror_device* handle = nullptr;
    CHECK_OK(mirror_device_create(&handle, "cuda:0,1", 0));
    const Device device(handle);
    constexpr int64_t count = 600;
    constexpr int32_t dim = 65536;
    mirror_index* index = nullptr;
    CHECK_OK(mirror_index_create(&index, device.get(), 1, dim, MIRROR_PRECISION_FP32));
    const std::vector<float> rows(count * dim, 0.5f);
    CHECK_OK(mirror_index_add(index, rows.data(), 1));
    struct State {
        std::vector<int64_t> done;
        int64_t stop_at = INT64_MAX;
        std::thread::id thread = std::this_thread::get_id();
    } state;
    const mirror_progress progress{[](int64_t done, int64_t total, void* data) -> int32_t {
                                       auto& state = *static_cast<State*>(data);
                                       const bool bad = total != count ||
                                                        std::this_thread::get_id() != state.thread;
                                       state.done.push_back(bad ? -1 : done);
                                       return done >= state.stop_at;
                                   },
                                   &state};
    mirror_search_options search;
    mirror_search_options_init(&search);
    search.progress = &progress;
    std::vector<int32_t> ids(count, -1);
    std::vector<float> scores(count);
    CHECK_OK(mirror_index_search(index, rows.data(), count, &search, ids.data(), scores.data()));
    CHECK(state.done.size() >= 3);
    CHECK_EQ(state.done.front(), 0);
    CHECK_EQ(state.done.back(), count);
    for (size_t i = 1; i < state.done.size(); ++i) CHECK(state.done[i - 1] < state.done[i]);
    CHECK(std::all_of(ids.begin(), ids.end(), [](int32_t id) { return id == 0; }));
    state.stop_at = state.done[1];
    const std::string message = mirror::text("cancelled after ", state.stop_at, " of 600");
    state.done.clear();
    CHECK_FAILS(mirror_index_search(index, rows.data(), count, &search, ids.data(), scores.data()),
                MIRROR_E_CANCELLED,
                message.c_str());
    CHECK_EQ(state.done.size(), size_t{2});
    state.stop_at = INT64_MAX;
    CHECK_OK(mirror_index_search(index, rows.data(), 1, &search, ids.data(), scores.data()));
    mirror_index_destroy(index);
}
#endif
