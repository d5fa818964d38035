// What only a GPU has: recorded graphs, half-precision indices, device memory of a host's own
// context. Run with --device cuda, on hardware or on the emulated driver of tests/simt.
#if MIRROR_HAS_CUDA
#include <thread>

#include "backend/backend.h"
#include "base/half.h"
#include "cuda_fixture.h"
#include "reference.h"

using namespace test;

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
    mirror_expand_options expansion;
    mirror_expand_options_init(&expansion);
    CHECK_FAILS(mirror_index_expand(index, x, 1, &id, &score, 1, &expansion, out),
                MIRROR_E_INVALID_ARGUMENT,
                "queries lies in device memory");
    CHECK_FAILS(mirror_index_expand(index, query, 1, &id, &score, 1, &expansion, memory.data()),
                MIRROR_E_INVALID_ARGUMENT,
                "out lies in device memory");
    CHECK_OK(mirror_index_expand(index, query, 1, &id, &score, 1, &expansion, out));
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
#endif
