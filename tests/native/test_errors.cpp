// Every status code that this build can give, through the C ABI alone: the code, and a message with
// the values.
#include <cstring>
#include <fstream>
#include <thread>

#include "harness.h"

namespace {

TEST(Error_InvalidArgument_CarriesTheValue) {
    mirror_device* device = nullptr;
    CHECK_FAILS(
        mirror_device_create(&device, "cpu", -3), MIRROR_E_INVALID_ARGUMENT, "threads is -3");
    CHECK_FAILS(
        mirror_device_create(&device, "cpu", 5000), MIRROR_E_INVALID_ARGUMENT, "threads is 5000");
    CHECK_FAILS(mirror_device_create(&device, "gpu", 0), MIRROR_E_INVALID_ARGUMENT, "\"gpu\"");
    CHECK_FAILS(
        mirror_device_create(&device, "cuda:x", 0), MIRROR_E_INVALID_ARGUMENT, "\"cuda:x\"");
    CHECK_FAILS(
        mirror_device_create(&device, nullptr, 0), MIRROR_E_INVALID_ARGUMENT, "name is NULL");
    CHECK_FAILS(mirror_device_create(nullptr, "cpu", 0), MIRROR_E_INVALID_ARGUMENT, "out is NULL");
    CHECK(device == nullptr);
    const test::TestDevice cpu;
    mirror_index* index = nullptr;
    CHECK_FAILS(mirror_index_create(&index, cpu, 0, 8, MIRROR_PRECISION_FP32),
                MIRROR_E_INVALID_ARGUMENT,
                "regions is 0");
    CHECK_FAILS(mirror_index_create(&index, cpu, 4097, 8, MIRROR_PRECISION_FP32),
                MIRROR_E_INVALID_ARGUMENT,
                "regions is 4097");
    CHECK_FAILS(mirror_index_create(&index, cpu, 1, 0, MIRROR_PRECISION_FP32),
                MIRROR_E_INVALID_ARGUMENT,
                "dim is 0");
    const float one = 1;
    float out = 0;
    int32_t id = 0;
    CHECK_FAILS(mirror_gemm(cpu, &one, &one, 1, 1, 1, 3, &out),
                MIRROR_E_INVALID_ARGUMENT,
                "precision is 3");
    if (!test::on_gpu())
        CHECK_FAILS(mirror_gemm(cpu, &one, &one, 1, 1, 1, MIRROR_PRECISION_FP16, &out),
                    MIRROR_E_INVALID_ARGUMENT,
                    "fp16");
    CHECK_FAILS(mirror_gemm(cpu, &one, &one, INT64_MAX, INT64_MAX, 1, 0, &out),
                MIRROR_E_INVALID_ARGUMENT,
                "too large");
    CHECK_FAILS(mirror_gemm(cpu, &one, &one, -1, 1, 1, 0, &out),
                MIRROR_E_INVALID_ARGUMENT,
                "negative size -1");
    CHECK_FAILS(mirror_topk(cpu, &one, 1, 1, 2, 0, &id, &out),
                MIRROR_E_INVALID_ARGUMENT,
                "k is 2, expected 1..1");
    const float nan = NAN;
    CHECK_FAILS(
        mirror_topk(cpu, &nan, 1, 1, 1, 0, &id, &out), MIRROR_E_INVALID_ARGUMENT, "NaN at 0");
    CHECK_FAILS(
        mirror_l2_normalize(cpu, &nan, 1, 1, &out), MIRROR_E_INVALID_ARGUMENT, "row 0 holds nan");
    CHECK_FAILS(mirror_l2_normalize(nullptr, &one, 1, 1, &out),
                MIRROR_E_INVALID_ARGUMENT,
                "device is NULL");
    CHECK_FAILS(mirror_similarity(cpu, &one, 1, &one, 1, 1, 1, 0, 2, &out),
                MIRROR_E_INVALID_ARGUMENT,
                "metric is 2");
    const int32_t step = 1;
    CHECK_FAILS(mirror_region_pool(cpu, &one, 1, 1, 1, 1, 0, &step, 1, 4, 3, &out),
                MIRROR_E_INVALID_ARGUMENT,
                "pool is 4");
}

TEST(Error_NoDriver_SaysWhatWasLookedForAndTheWayOut) {
    mirror_device* device = nullptr;
    if (mirror_device_create(&device, "cuda", 0) == MIRROR_OK) {
        mirror_device_destroy(device);
        SKIP("this machine has a CUDA driver and a GPU");
    }
    // The message names the GPU, and the way out.
    const std::pair<const char*, const char*> names[] = {{"cuda", "device cuda:0: "},
                                                         {"cuda:0", "device cuda:0: "},
                                                         {"cuda:12", "device cuda:12: "},
                                                         {"cuda:3,1", "device cuda:3: "}};
    for (const auto& [name, named] : names) {
        CHECK_FAILS(mirror_device_create(&device, name, 0), MIRROR_E_NO_DEVICE, named);
        CHECK(std::strstr(mirror_last_error(), "use --device cpu") != nullptr);
    }
    if (!MIRROR_HAS_CUDA || std::getenv("MIRROR_CUDA_DRIVER"))
        SKIP("another driver than the usual one is looked for");
    CHECK(std::strstr(mirror_last_error(), "libcuda.so.1 was not found") != nullptr);
}

TEST(Error_DeviceNames_AreChecked) {
    mirror_device* device = nullptr;
    for (const char* name :
         {"cuda:", "cuda:-1", "cuda:0,", "cuda:0;1", "cuda:99999999999", "CUDA", "cuda:0,x"})
        CHECK_FAILS(mirror_device_create(&device, name, 0), MIRROR_E_INVALID_ARGUMENT, name);
    CHECK_FAILS(mirror_device_create(&device, "cuda:1,1", 0),
                MIRROR_E_INVALID_ARGUMENT,
                "names cuda:1 twice");
}

TEST(Error_NotFound_NamesTheFile) {
    mirror_model* model = nullptr;
    CHECK_FAILS(mirror_model_load(&model, "no/such.safetensors", nullptr),
                MIRROR_E_NOT_FOUND,
                "no/such.safetensors");
    mirror_whitening* whitening = nullptr;
    CHECK_FAILS(mirror_whitening_load(&whitening, "no/such.safetensors"),
                MIRROR_E_NOT_FOUND,
                "no/such.safetensors");
    int64_t count = 0;
    CHECK_FAILS(mirror_network_variables("vgg", nullptr, 0, &count), MIRROR_E_NOT_FOUND, "vgg");
}

TEST(Error_Io_NamesThePlace) {
    const double one = 1;
    mirror_whitening* whitening = nullptr;
    CHECK_OK(mirror_whitening_create(&whitening, &one, &one, &one, 1, 1));
    const auto folder = test::scratch_folder();
    std::ofstream(folder / "file") << "x";
    const std::string path = (folder / "file" / "below").string();
    const mirror_status status = mirror_whitening_save(whitening, path.c_str());
    mirror_whitening_destroy(whitening);
    CHECK(status == MIRROR_E_IO || status == MIRROR_E_NOT_FOUND);
    CHECK(std::strstr(mirror_last_error(), "below") != nullptr);
}

TEST(Error_Format_NamesTheFile) {
    const std::string path = (test::scratch_folder() / "broken.safetensors").string();
    std::ofstream(path, std::ios::binary) << "12345678not json";
    mirror_model* model = nullptr;
    CHECK_FAILS(
        mirror_model_load(&model, path.c_str(), nullptr), MIRROR_E_FORMAT, "broken.safetensors");
}

TEST(Error_Cancelled_TellsHowFar) {
    const test::TestDevice device;
    test::Rng rng;
    const auto rows = rng.floats(10 * 4);
    const mirror_progress progress{[](int64_t, int64_t, void*) -> int32_t { return 1; }, nullptr};
    mirror_whitening_options options;
    mirror_whitening_options_init(&options);
    options.dim = 2;
    options.progress = &progress;
    mirror_whitening* whitening = nullptr;
    CHECK_FAILS(mirror_whitening_fit(&whitening, device, rows.data(), 10, 4, &options),
                MIRROR_E_CANCELLED,
                "cancelled after 0 of 10");
    CHECK(whitening == nullptr);
}

TEST(IndexAdd_AbsurdCount_LeavesTheIndexAsItWas) {
    const test::TestDevice device;
    mirror_index* index = nullptr;
    CHECK_OK(mirror_index_create(&index, device, 1, 1, MIRROR_PRECISION_FP32));
    const float one = 1;
    CHECK_OK(mirror_index_add(index, &one, 1));
    // The count is refused before a row is read.
    CHECK_FAILS(mirror_index_add(index, &one, INT64_MAX / 8),
                MIRROR_E_INVALID_ARGUMENT,
                "the most an index holds");
    int64_t size = 0;
    CHECK_OK(mirror_index_size(index, &size));
    CHECK_EQ(size, 1);
    mirror_index_destroy(index);
}

TEST(Error_OfAnotherThread_IsNotSeen) {
    mirror_device* device = nullptr;
    CHECK_FAILS(mirror_device_create(&device, "here", 0), MIRROR_E_INVALID_ARGUMENT, "here");
    std::string other;
    std::thread([&] { other = mirror_last_error(); }).join();
    CHECK_EQ(other, "");
    CHECK(std::strstr(mirror_last_error(), "here") != nullptr);
}

TEST(Error_OldStructSize_SaysRecompile) {
    const test::TestDevice device;
    const float one = 1;
    mirror_index* index = nullptr;
    CHECK_OK(mirror_index_create(&index, device, 1, 1, MIRROR_PRECISION_FP32));
    CHECK_OK(mirror_index_add(index, &one, 1));
    mirror_search_options options;
    mirror_search_options_init(&options);
    options.struct_size -= 8;
    int32_t id = 0;
    float score = 0;
    const mirror_status status = mirror_index_search(index, &one, 1, &options, &id, &score);
    mirror_index_destroy(index);
    CHECK_FAILS(status, MIRROR_E_INVALID_ARGUMENT, "recompile");
}

TEST(Destroy_ParentsFirst_IsSafe) {
    mirror_device* device = nullptr;
    mirror_index* index = nullptr;
    CHECK_OK(mirror_device_create(&device, test::device_name(), 1));
    CHECK_OK(mirror_index_create(&index, device, 1, 2, MIRROR_PRECISION_FP32));
    CHECK_EQ(mirror_live_objects(), 2);
    mirror_device_destroy(device);
    const float rows[] = {0.6f, 0.8f};
    CHECK_OK(mirror_index_add(index, rows, 1));
    mirror_index_destroy(index);
    mirror_index_destroy(nullptr);
    mirror_whitening_destroy(nullptr);
    mirror_model_destroy(nullptr);
    mirror_extractor_destroy(nullptr);
}

}  // namespace
