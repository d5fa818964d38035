// What only a GPU has: device memory of a host's own context, half-precision indices, recorded
// graphs, several GPUs, and failures: memory that does not suffice, a lost device. Run with
// --device cuda, on hardware or on the emulated driver of tests/simt; planted failures need the
// latter.
#include <thread>

#include "extractor_fixture.h"
#include "reference.h"

#if MIRROR_HAS_CUDA
#include "backend/backend.h"
#include "backend/cuda/driver.h"
#include "base/half.h"
#include "base/library.h"

using namespace test;

namespace {

// The emulated driver's settings; restored with the test.
class Emulator {
  public:
    Emulator() {
        const char* path = std::getenv("MIRROR_CUDA_DRIVER");
        std::string why;
        void* library = path ? mirror::open_library(path, why) : nullptr;
        set_ = library ? reinterpret_cast<Set>(mirror::library_symbol(library, "mirror_simt_set"))
                       : nullptr;
        if (!set_) SKIP("needs the emulated driver");
    }
    ~Emulator() {
        set_("sticky", 0);
        for (; !before_.empty(); before_.pop_back())
            set_(before_.back().first, before_.back().second);
    }
    void set(const char* name, long long value) { before_.emplace_back(name, set_(name, value)); }
    long long get(const char* name) const { return set_(name, 0); }

  private:
    using Set = long long (*)(const char*, long long);
    Set set_ = nullptr;
    std::vector<std::pair<const char*, long long>> before_;
};

// Floats in the memory of a GPU, in its primary context.
class DeviceFloats {
  public:
    DeviceFloats(int ordinal, const std::vector<float>& values) {
        ok(cuda_.cuDeviceGet(&device_, ordinal));
        ok(cuda_.cuDevicePrimaryCtxRetain(&context_, device_));
        const size_t bytes = values.size() * sizeof(float);
        CUstream stream = nullptr;
        ok(cuda_.cuCtxPushCurrent_v2(context_));
        ok(cuda_.cuMemAlloc_v2(&address_, bytes));
        ok(cuda_.cuStreamCreate(&stream, mirror::cuda::STREAM_NON_BLOCKING));
        ok(cuda_.cuMemcpyAsync(
            address_, reinterpret_cast<CUdeviceptr>(values.data()), bytes, stream));
        ok(cuda_.cuStreamSynchronize(stream));
        ok(cuda_.cuStreamDestroy_v2(stream));
        ok(cuda_.cuCtxPopCurrent_v2(&context_));
    }
    ~DeviceFloats() {
        cuda_.cuCtxPushCurrent_v2(context_);
        cuda_.cuMemFree_v2(address_);
        cuda_.cuCtxPopCurrent_v2(&context_);
        cuda_.cuDevicePrimaryCtxRelease_v2(device_);
    }
    DeviceFloats(const DeviceFloats&) = delete;
    float* data() const { return reinterpret_cast<float*>(address_); }

  private:
    static void ok(CUresult status) { CHECK_EQ(status, mirror::cuda::CUDA_SUCCESS); }
    const mirror::cuda::Driver& cuda_ = *mirror::cuda::find_driver().driver;
    CUdevice device_ = 0;
    CUcontext context_ = nullptr;
    CUdeviceptr address_ = 0;
};

// Collects the log while it lives.
class Log {
  public:
    Log() {
        mirror_set_log(
            [](int32_t, const char* message, void* data) {
                (*static_cast<std::string*>(data) += message) += '\n';
            },
            &text_);
    }
    ~Log() { mirror_set_log(nullptr, nullptr); }
    bool has(const char* part) const { return text_.find(part) != std::string::npos; }
    const std::string& text() const { return text_; }

  private:
    std::string text_;
};

std::vector<float> descriptors(const Extractor& extractor,
                               const std::vector<float>& input,
                               int64_t count) {
    const auto info = info_of(extractor);
    Guarded<float> out(static_cast<size_t>(count * info.regions * info.dim));
    CHECK_OK(mirror_extractor_run_input(extractor.get(), input.data(), count, out.data(), nullptr));
    out.check();
    return out.values();
}

}  // namespace

TEST(Cuda_Device_TellsWhatItIs) {
    const TestDevice device;
    mirror_device_info info{};
    info.struct_size = sizeof info;
    CHECK_OK(mirror_device_get_info(device, &info));
    CHECK_EQ(info.kind, MIRROR_DEVICE_CUDA);
    CHECK_EQ(info.precisions, 7u);
    CHECK(info.memory_bytes > 0);
    CHECK(info.name[0] != 0);
    mirror_device* absent = nullptr;
    CHECK_FAILS(
        mirror_device_create(&absent, "cuda:99", 0), MIRROR_E_NO_DEVICE, "numbered from cuda:0");
}

// Runs 1, 2 and 3 of a size are single launches, recording, and a replay; 4 to 6 take more images
// than both slots hold.
TEST(Cuda_RecordedGraphs_GiveTheSameBits) {
    const Device device = make_device();
    const Model model = generated_model("half_googlenet");
    auto options = options_for(96, 96);
    options.batch = 2;
    options.precision = MIRROR_PRECISION_FP16;
    const Extractor extractor = make_extractor(device, model, options);
    const auto input = Rng().floats(7 * 96 * 96 * 3, -120, 130);
    const auto first = descriptors(extractor, input, 2);
    for (int i = 0; i < 2; ++i) CHECK(descriptors(extractor, input, 2) == first);
    const auto all = descriptors(extractor, input, 7);
    for (int i = 0; i < 2; ++i) CHECK(descriptors(extractor, input, 7) == all);
    CHECK(std::equal(first.begin(), first.end(), all.begin()));
}

// While one thread records its network, another's work on the same device must not end up in the
// recording.
TEST(Cuda_TwoHandlesOnTwoThreads_KeepTheirResults) {
    const Device device = make_device();
    const Model model = generated_model("half_googlenet");
    auto options = options_for(96, 96);
    options.precision = MIRROR_PRECISION_FP16;
    const Extractor extractor = make_extractor(device, model, options);
    const auto input = Rng().floats(96 * 96 * 3, -120, 130);
    const auto want = descriptors(make_extractor(device, model, options), input, 1);
    const auto rows = Rng(1).floats(40 * 7 * 16, -1, 1);
    mirror_index* index = nullptr;
    CHECK_OK(mirror_index_create(&index, device.get(), 7, 16, MIRROR_PRECISION_FP32));
    CHECK_OK(mirror_index_add(index, rows.data(), 40));
    mirror_search_options search;
    mirror_search_options_init(&search);
    search.top = 5;
    std::vector<int32_t> ids(200), other_ids(200);
    std::vector<float> scores(200), other_scores(200);
    CHECK_OK(mirror_index_search(index, rows.data(), 40, &search, ids.data(), scores.data()));
    int wrong = 0;
    std::thread searching([&] {
        for (int i = 0; i < 20; ++i) {
            const auto status = mirror_index_search(
                index, rows.data(), 40, &search, other_ids.data(), other_scores.data());
            wrong += status != MIRROR_OK || other_ids != ids || other_scores != scores;
        }
    });
    std::vector<std::vector<float>> got;
    for (int i = 0; i < 4; ++i) got.push_back(descriptors(extractor, input, 1));
    searching.join();
    mirror_index_destroy(index);
    CHECK_EQ(wrong, 0);
    for (const auto& one : got) CHECK(one == want);
}

// 70000 does not fit float16; the ReLU after next would make a plausible zero of the NaN that
// follows.
TEST(Cuda_HalfPrecisionOverflow_IsAnError) {
    const Device device = make_device();
    const Model model = generated_model("half_googlenet");
    auto options = options_for(96, 96);
    options.precision = MIRROR_PRECISION_FP16;
    const Extractor extractor = make_extractor(device, model, options);
    auto input = Rng().floats(3 * 96 * 96 * 3, -120, 130);
    const auto info = info_of(extractor);
    std::vector<float> out(static_cast<size_t>(3 * info.regions * info.dim));
    CHECK_OK(mirror_extractor_run_input(extractor.get(), input.data(), 3, out.data(), nullptr));
    for (float& value : input) value *= 5000;
    CHECK_FAILS(mirror_extractor_run_input(extractor.get(), input.data(), 3, out.data(), nullptr),
                MIRROR_E_INVALID_ARGUMENT,
                "exceeds 65504");
    std::vector<float> map(static_cast<size_t>(info.map_height * info.map_width * info.dim));
    CHECK_FAILS(mirror_extractor_run_map(extractor.get(), input.data(), 1, map.data(), nullptr),
                MIRROR_E_INVALID_ARGUMENT,
                "use bf16 or fp32");
    for (float& value : input) value /= 5000;
    CHECK_OK(mirror_extractor_run_input(extractor.get(), input.data(), 3, out.data(), nullptr));
}

TEST(Cuda_HalfIndex_EqualsReferenceOnRoundedRows) {
    const TestDevice device;
    const std::pair<int, int> shapes[] = {{35, 256}, {14, 33}, {1, 64}, {3, 7}};
    for (const auto& [regions, dim] : shapes)
        for (const int32_t similarity : {MIRROR_SIMILARITY_PR_MAC, MIRROR_SIMILARITY_AML}) {
            constexpr int64_t n = 21, nq = 19;
            Rng rng(static_cast<uint64_t>(regions * 1009 + dim));
            auto rows = rng.floats(static_cast<size_t>(n * regions * dim));
            CHECK_OK(mirror_l2_normalize(device, rows.data(), n * regions, dim, rows.data()));
            mirror_index* index = nullptr;
            CHECK_OK(mirror_index_create(&index, device, regions, dim, MIRROR_PRECISION_FP16));
            CHECK_OK(mirror_index_add(index, rows.data(), n));
            mirror_search_options options;
            mirror_search_options_init(&options);
            options.top = n, options.similarity = similarity;
            std::vector<int32_t> ids(nq * n);
            std::vector<float> scores(nq * n);
            CHECK_OK(
                mirror_index_search(index, rows.data(), nq, &options, ids.data(), scores.data()));
            options.metric = MIRROR_METRIC_EUCLIDEAN;
            CHECK_FAILS(
                mirror_index_search(index, rows.data(), nq, &options, ids.data(), scores.data()),
                MIRROR_E_INVALID_ARGUMENT,
                "half precision");
            mirror_index_destroy(index);
            for (float& value : rows)
                value = mirror::to_float(mirror::from_float<mirror::float16>(value));
            const std::vector<float> queries(rows.begin(), rows.begin() + nq * regions * dim);
            const auto want =
                similarity_ref(queries, rows, regions, dim, similarity, MIRROR_METRIC_DOT);
            for (size_t i = 0; i < ids.size(); ++i) {
                const size_t q = i / n;
                CHECK_NEAR(
                    scores[i] / regions, want[q * n + static_cast<size_t>(ids[i])] / regions, 1e-5);
                if (i % n > 0)
                    CHECK(scores[i] < scores[i - 1] ||
                          (scores[i] == scores[i - 1] && ids[i] > ids[i - 1]));
            }
        }
}

TEST(Cuda_HostContextAndPointers_AreUsedInPlace) {
    using namespace mirror::cuda;
    CHECK(find_driver().driver != nullptr);
    const Driver& cuda = *find_driver().driver;
    const auto ok = [](CUresult status) { CHECK_EQ(status, CUDA_SUCCESS); };
    CUcontext context = nullptr;
    CUstream stream = nullptr;
    CUdevice ordinal = 0;
    ok(cuda.cuDeviceGet(&ordinal, 0));
    ok(cuda.cuDevicePrimaryCtxRetain(&context, ordinal));
    ok(cuda.cuCtxPushCurrent_v2(context));
    ok(cuda.cuStreamCreate(&stream, 1));
    constexpr int64_t n = 9, regions = 5, dim = 40;
    auto rows = Rng().floats(n * regions * dim);
    const size_t bytes = rows.size() * sizeof(float);
    CUdeviceptr on_device = 0;
    ok(cuda.cuMemAlloc_v2(&on_device, bytes));
    ok(cuda.cuMemcpyAsync(on_device, reinterpret_cast<CUdeviceptr>(rows.data()), bytes, stream));
    {
        mirror_cuda_options options{sizeof options, 0, context, stream};
        mirror_device* handle = nullptr;
        CHECK_OK(mirror_device_create_cuda(&handle, &options));
        const Device device(handle);
        float* pointer = reinterpret_cast<float*>(on_device);
        CHECK_OK(mirror_l2_normalize(handle, pointer, n * regions, dim, pointer));
        CHECK_OK(mirror_l2_normalize(handle, rows.data(), n * regions, dim, rows.data()));
        std::vector<int32_t> ids(n * n), host_ids(n * n);
        std::vector<float> scores(n * n), host_scores(n * n);
        for (const bool own : {false, true}) {
            mirror_index* index = nullptr;
            CHECK_OK(mirror_index_create(&index, handle, regions, dim, MIRROR_PRECISION_FP32));
            CHECK_OK(mirror_index_add(index, own ? pointer : rows.data(), n));
            mirror_search_options search;
            mirror_search_options_init(&search);
            search.top = n;
            CHECK_OK(mirror_index_search(index,
                                         own ? pointer : rows.data(),
                                         n,
                                         &search,
                                         (own ? ids : host_ids).data(),
                                         (own ? scores : host_scores).data()));
            mirror_index_destroy(index);
        }
        CHECK(ids == host_ids);
        CHECK(scores == host_scores);
        // A NaN in device memory is found there, and named.
        const float nan = NAN;
        ok(cuda.cuMemcpyAsync(on_device + 4 * (3 * regions * dim + 2 * dim + 1),
                              reinterpret_cast<CUdeviceptr>(&nan),
                              4,
                              stream));
        mirror_index* index = nullptr;
        CHECK_OK(mirror_index_create(&index, handle, regions, dim, MIRROR_PRECISION_FP32));
        CHECK_FAILS(
            mirror_index_add(index, pointer, n), MIRROR_E_INVALID_ARGUMENT, "image 3, region 2");
        mirror_index_destroy(index);
    }
    // The stream and the context are still the host's.
    ok(cuda.cuStreamSynchronize(stream));
    ok(cuda.cuMemFree_v2(on_device));
    ok(cuda.cuStreamDestroy_v2(stream));
    CUcontext popped = nullptr;
    ok(cuda.cuCtxPopCurrent_v2(&popped));
    CHECK(popped == context);
    ok(cuda.cuDevicePrimaryCtxRelease_v2(ordinal));
    const mirror_cuda_options lonely{sizeof lonely, 0, nullptr, stream};
    mirror_device* device = nullptr;
    CHECK_FAILS(mirror_device_create_cuda(&device, &lonely),
                MIRROR_E_INVALID_ARGUMENT,
                "options.stream is given without options.context");
}

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
    std::vector<int32_t> ids[2];
    std::vector<float> scores[2];
    for (const int i : {0, 1}) {
        const Device& device = i ? two : one;
        mirror_index* index = nullptr;
        CHECK_OK(mirror_index_create(&index, device.get(), 1, dim, MIRROR_PRECISION_FP32));
        CHECK_OK(mirror_index_add(index, want.data(), 3));
        CHECK_OK(mirror_index_add(index, want.data() + 3 * dim, 2));
        mirror_search_options search;
        mirror_search_options_init(&search);
        search.top = 4;
        ids[i].resize(20), scores[i].resize(20);
        CHECK_OK(
            mirror_index_search(index, want.data(), 5, &search, ids[i].data(), scores[i].data()));
        mirror_index_destroy(index);
    }
    CHECK(ids[0] == ids[1]);
    CHECK(scores[0] == scores[1]);
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

// Needs no LAPACK, as fitting a whitening would.
TEST(Cuda_Covariance_EqualsDoubleReference) {
    const auto backend = mirror::make_backend(device_name(), 0);
    for (const auto& [count, dim] : {std::pair<int64_t, int>{2, 1}, {301, 37}, {130, 129}}) {
        const auto n = static_cast<size_t>(dim);
        const auto rows = Rng(n).floats(static_cast<size_t>(count) * n, -1, 3);
        std::vector<double> mean(n), want(n * n), got_mean(n), got(n * n);
        for (int64_t r = 0; r < count; ++r)
            for (size_t i = 0; i < n; ++i) mean[i] += rows[r * n + i] / static_cast<double>(count);
        for (int64_t r = 0; r < count; ++r)
            for (size_t i = 0; i < n; ++i)
                for (size_t j = 0; j < n; ++j)
                    want[i * n + j] += (rows[r * n + i] - mean[i]) * (rows[r * n + j] - mean[j]) /
                                       static_cast<double>(count - 1);
        backend->covariance(
            rows.data(), count, dim, mirror::Progress(), got_mean.data(), got.data());
        for (size_t i = 0; i < n; ++i) CHECK_NEAR(got_mean[i], mean[i], 1e-13);
        for (size_t i = 0; i < n * n; ++i) CHECK_NEAR(got[i], want[i], 1e-12);
    }
}

TEST(Cuda_HalfIndex_RefusesWhatHalfPrecisionCannotHold) {
    const TestDevice device;
    mirror_index* index = nullptr;
    CHECK_OK(mirror_index_create(&index, device, 2, 3, MIRROR_PRECISION_FP16));
    std::vector<float> rows(12, 65504.0f);
    CHECK_OK(mirror_index_add(index, rows.data(), 2));
    rows[7] = -65505;
    CHECK_FAILS(mirror_index_add(index, rows.data(), 2),
                MIRROR_E_INVALID_ARGUMENT,
                "image 1, region 0 holds -65505 at 1, expected finite values within +-65504, the "
                "largest of half precision");
    mirror_search_options search;
    mirror_search_options_init(&search);
    int32_t ids[2];
    float scores[2];
    CHECK_FAILS(mirror_index_search(index, rows.data() + 6, 1, &search, ids, scores),
                MIRROR_E_INVALID_ARGUMENT,
                "+-65504");
    int64_t size = 0;
    CHECK_OK(mirror_index_size(index, &size));
    CHECK_EQ(size, 2);
    mirror_index_destroy(index);
}

TEST(Cuda_DevicePointers_AreCheckedBeforeUse) {
    const TestDevice device;
    const std::vector<float> values{3, 1, NAN, 2};
    const DeviceFloats memory(0, values);
    const float* x = memory.data();
    int32_t id = 0;
    float best = 0;
    CHECK_FAILS(mirror_topk(device, x, 2, 2, 1, 0, &id, &best),
                MIRROR_E_INVALID_ARGUMENT,
                "row 1 holds NaN at 0");
    CHECK_OK(mirror_topk(device, x, 1, 2, 1, 0, &id, &best));
    CHECK_EQ(best, 3.0f);
    CHECK_FAILS(mirror_l2_normalize(device, x, 2, 2, &best),
                MIRROR_E_INVALID_ARGUMENT,
                "row 1 holds nan at 0");
    // Never dereferenced.
    const auto* odd = reinterpret_cast<const float*>(reinterpret_cast<uintptr_t>(x) + 2);
    CHECK_FAILS(mirror_topk(device, odd, 1, 2, 1, 0, &id, &best),
                MIRROR_E_INVALID_ARGUMENT,
                "expected a multiple of 4 bytes");
    mirror_index* index = nullptr;
    CHECK_OK(mirror_index_create(&index, device, 1, 2, MIRROR_PRECISION_FP32));
    CHECK_OK(mirror_index_add(index, x, 1));
    const float query[] = {1, 0}, score = 1;
    float out[2];
    CHECK_FAILS(mirror_index_expand(index, x, 1, &id, &score, 1, 1, out),
                MIRROR_E_INVALID_ARGUMENT,
                "queries lies in device memory");
    CHECK_FAILS(mirror_index_expand(index, query, 1, &id, &score, 1, 1, memory.data()),
                MIRROR_E_INVALID_ARGUMENT,
                "out lies in device memory");
    CHECK_OK(mirror_index_expand(index, query, 1, &id, &score, 1, 1, out));
    mirror_index_destroy(index);
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

TEST(Cuda_DefaultStreams_AreRefused) {
    int context = 0;  // not used before the stream is refused
    mirror_cuda_options options;
    mirror_cuda_options_init(&options);
    CHECK_EQ(options.struct_size, sizeof options);
    CHECK(!options.context && !options.stream && options.ordinal == 0);
    options.context = &context;
    mirror_device* device = nullptr;
    for (const uintptr_t stream : {1, 2}) {
        options.stream = reinterpret_cast<void*>(stream);
        CHECK_FAILS(mirror_device_create_cuda(&device, &options),
                    MIRROR_E_INVALID_ARGUMENT,
                    mirror::text("options.stream is ", stream).c_str());
    }
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
