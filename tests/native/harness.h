// The native tests' own small framework: no dependency, so that they build wherever the library
// builds. A test is TEST(Subject_Condition_Outcome) { ... }; its first failed CHECK ends it. After
// every test the library must hold no live object. Randomness comes from Rng, seeded from --seed
// and the test's name.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/error.h"
#include "mirror/mirror.h"

namespace test {

struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};
struct Skipped : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Registration {
    Registration(const char* name, void (*body)());
};

uint64_t seed();            // of this run, --seed N
const char* device_name();  // of the device under test, --device NAME; "cpu" unless given
inline bool on_gpu() {
    return std::strncmp(device_name(), "cuda", 4) == 0;
}
const std::string& test_name();  // of the running test

[[noreturn]] inline void fail_at(const char* file, int line, const std::string& message) {
    throw Failure(
        mirror::text(std::filesystem::path(file).filename().string(), ":", line, ": ", message));
}

// Whether the GPU is the emulator of tests/simt.
inline bool emulated() {
    return on_gpu() && std::getenv("MIRROR_CUDA_DRIVER");
}

// splitmix64. Two Rng of one test give the same numbers unless their streams differ.
class Rng {
  public:
    explicit Rng(uint64_t stream = 0);
    uint64_t next();
    double uniform();  // [0, 1)
    double uniform(double low, double high) { return low + (high - low) * uniform(); }
    int64_t index(int64_t count) {
        return static_cast<int64_t>(next() % static_cast<uint64_t>(count));
    }
    std::vector<float> floats(size_t count, double low = -1, double high = 1);

  private:
    uint64_t state_;
};

// An output buffer between guard words: check() fails when something wrote beyond either end.
template <class T>
class Guarded {
  public:
    explicit Guarded(size_t count) : count_(count), bytes_(count * sizeof(T) + 2 * kGuard, kFill) {}
    T* data() { return reinterpret_cast<T*>(bytes_.data() + kGuard); }
    size_t size() const { return count_; }
    T& operator[](size_t i) { return data()[i]; }
    std::vector<T> values() { return {data(), data() + count_}; }
    void check() const {
        for (size_t i = 0; i < kGuard; ++i)
            if (bytes_[i] != kFill || bytes_[bytes_.size() - 1 - i] != kFill)
                throw Failure("guard words around an output buffer were overwritten");
    }

  private:
    static constexpr size_t kGuard = 64;
    static constexpr unsigned char kFill = 0xA5;
    size_t count_;
    std::vector<unsigned char> bytes_;
};

// A file of the repository ("tests/data/x"), and one of the folder of shared test data
// ("golden/x"), which is $MIRROR_SHARED or ../shared beside the repository: the test is skipped
// where it is absent.
std::filesystem::path source_path(const std::string& relative);
std::filesystem::path shared_path(const std::string& relative);
// A fresh folder for files the running test writes; removed before its next use.
std::filesystem::path scratch_folder();

template <class A, class B>
void check_equal(const A& a, const B& b, const char* what, const char* file, int line) {
    if (!(a == b)) fail_at(file, line, mirror::text(what, ": ", a, " is not ", b));
}

inline void check_near(
    double a, double b, double tolerance, const char* what, const char* file, int line) {
    if (!(std::abs(a - b) <= tolerance))
        fail_at(file, line, mirror::text(what, ": ", a, " is not within ", tolerance, " of ", b));
}

// The body must throw mirror::Error with this status and this text within its message.
void check_throws(const std::function<void()>& body,
                  mirror_status status,
                  const char* text,
                  const char* file,
                  int line);
// A C ABI call that must fail so; its message is mirror_last_error().
void check_status(mirror_status actual,
                  mirror_status expected,
                  const char* text,
                  const char* what,
                  const char* file,
                  int line);

// A device of the kind under test (--device), destroyed with the test; a CPU one has two threads.
struct TestDevice {
    TestDevice() {
        check_status(mirror_device_create(&handle, device_name(), 2),
                     MIRROR_OK,
                     "",
                     "device",
                     __FILE__,
                     __LINE__);
    }
    ~TestDevice() { mirror_device_destroy(handle); }
    TestDevice(const TestDevice&) = delete;
    TestDevice& operator=(const TestDevice&) = delete;
    operator mirror_device*() const { return handle; }

    mirror_device* handle = nullptr;
};

}  // namespace test

#define TEST(name)                                                 \
    static void name();                                            \
    static const test::Registration register_##name(#name, &name); \
    static void name()

#define CHECK(condition)                                                              \
    do {                                                                              \
        if (!(condition)) test::fail_at(__FILE__, __LINE__, "CHECK(" #condition ")"); \
    } while (0)
#define CHECK_EQ(a, b) test::check_equal((a), (b), #a " == " #b, __FILE__, __LINE__)
#define CHECK_NEAR(a, b, tolerance) \
    test::check_near((a), (b), (tolerance), #a " ~ " #b, __FILE__, __LINE__)
#define CHECK_THROWS(expression, status, text) \
    test::check_throws([&] { (void)(expression); }, (status), (text), __FILE__, __LINE__)
// For the C ABI: CHECK_OK(call) and CHECK_FAILS(call, MIRROR_E_..., "part of the message").
#define CHECK_OK(call) test::check_status((call), MIRROR_OK, "", #call, __FILE__, __LINE__)
#define CHECK_FAILS(call, status, text) \
    test::check_status((call), (status), (text), #call, __FILE__, __LINE__)
#define SKIP(reason) throw test::Skipped(reason)
