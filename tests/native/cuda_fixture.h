// What the tests of the CUDA backend share.
#pragma once

#include "backend/cuda/driver.h"
#include "base/library.h"
#include "extractor_fixture.h"

namespace test {

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

inline std::vector<float> descriptors(const Extractor& extractor,
                                      const std::vector<float>& input,
                                      int64_t count) {
    const auto info = info_of(extractor);
    Guarded<float> out(static_cast<size_t>(count * info.regions * info.dim));
    CHECK_OK(mirror_extractor_run_input(extractor.get(), input.data(), count, out.data(), nullptr));
    out.check();
    return out.values();
}

}  // namespace test
