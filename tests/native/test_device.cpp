// Devices and the system report, through the C ABI.
#include <string>

#include "base/json.h"
#include "harness.h"

namespace {

TEST(Device_Cpu_TellsWhatItIs) {
    mirror_device* device = nullptr;
#if MIRROR_HAS_CPU
    CHECK_OK(mirror_device_create(&device, "cpu", 1));
    mirror_device_info info{};
    CHECK_FAILS(
        mirror_device_get_info(device, &info), MIRROR_E_INVALID_ARGUMENT, "struct_size is 0");
    info.struct_size = sizeof info;
    CHECK_OK(mirror_device_get_info(device, &info));
    CHECK_EQ(info.kind, MIRROR_DEVICE_CPU);
    CHECK_EQ(info.threads, 1);
    CHECK(info.precisions & (1u << MIRROR_PRECISION_FP32));
    CHECK(!(info.precisions & (1u << MIRROR_PRECISION_FP16)));
    CHECK((info.native_half & ~info.precisions) == 0);
    CHECK(info.memory_bytes > 0);
    CHECK(info.name[0] != 0);
    mirror_device_destroy(device);
#else
    CHECK_FAILS(mirror_device_create(&device, "cpu", 1), MIRROR_E_NO_DEVICE, "no CPU backend");
#endif
}

TEST(Device_Auto_LogsWhichAndWhy) {
    if (!MIRROR_HAS_CPU) SKIP("auto takes the CPU, which a build with MIRROR_CPU=OFF has not");
    std::string logged;
    mirror_set_log(
        [](int32_t, const char* message, void* data) {
            *static_cast<std::string*>(data) += message;
        },
        &logged);
    mirror_device* device = nullptr;
    const mirror_status status = mirror_device_create(&device, "auto", 0);
    mirror_set_log(nullptr, nullptr);
    CHECK_OK(status);
    mirror_device_destroy(device);
    // One line: the device, and why it is not the other.
    CHECK(logged.find("device auto: cpu") != std::string::npos);
    CHECK(logged.find(MIRROR_HAS_CUDA ? "CUDA driver library" : "no CUDA backend") !=
              std::string::npos ||
          logged.find("have not been measured") != std::string::npos);
}

TEST(Device_DestroyNull_IsFine) {
    mirror_device_destroy(nullptr);
}

TEST(SystemInfo_IsOneJsonObject) {
    const char* text = nullptr;
    CHECK_OK(mirror_system_info(&text));
    const auto json = mirror::Json::parse(text);
    for (const char* key : {"version", "git_hash", "compiler"})
        CHECK(!json.at(key).string(key).empty());
    CHECK_EQ(json.at("libraries").array("libraries")[0].at("name").string("name"), "oneDNN");
    const auto& backends = json.at("backends").array("backends");
    CHECK_EQ(backends.size(), size_t{MIRROR_HAS_CPU + MIRROR_HAS_CUDA});
#if MIRROR_HAS_CPU
    CHECK(!json.at("cpu").string("cpu").empty());
    CHECK(json.at("cores").size("cores") >= 1);
    CHECK(json.at("instruction_sets").is(mirror::Json::Kind::array));
    CHECK_EQ(json.at("libraries").array("libraries").size(), size_t{4});
    CHECK_EQ(backends.front().string("backend"), "cpu");
#endif
#if MIRROR_HAS_CUDA
    CHECK_EQ(backends.back().string("backend"), "cuda");
    const auto& kernels = json.at("kernels").array("kernels");
    CHECK_EQ(kernels.size(), size_t{4});  // sm_80, 86, 89, 90
    for (const auto& chosen : kernels)
        CHECK(chosen.at("conv2d fp16").string("kernel").starts_with("conv2d_"));
    CHECK(!json.at("kernel_images").array("images").empty());
#endif
}

}  // namespace
