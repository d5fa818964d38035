// What the emulated kernel tests share: conversion of vectors to the kernels' types, device memory that shows stray
// accesses, and launches under every schedule.
//
//     test::DeviceMemory<f16> x(test::narrow<f16>(values)), y(count);
//     for (const simt::Options& schedule : test::schedules()) {
//         y.reset();
//         test::run(conv2d_f16_64x64x32, conv2d_launch<...>(p), p, schedule);
//         y.check();
//         ... compare y.values() with a reference in double ...
//     }
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "common/launch.h"
#include "common/params.h"
#include "common/ptx.cuh"
#include "harness.h"

namespace test {

inline float widen(float v) {
    return v;
}
inline float widen(f16 v) {
    return simt::to_float(v.bits);
}
inline float widen(bf16 v) {
    return simt::bf16_to_float(v.bits);
}

template <class T>
T narrow(float v) {
    if constexpr (sizeof(T) == 4)
        return v;
    else
        return T{simt::Format<T>::narrow(v)};
}
template <class T>
std::vector<T> narrow(const std::vector<float>& values) {
    std::vector<T> out;
    for (float v : values) out.push_back(narrow<T>(v));
    return out;
}

// Half the distance between neighbouring numbers of T near 1: what one rounding may change, relative.
template <class T>
constexpr double unit_roundoff = 0x1p-24;
template <>
inline constexpr double unit_roundoff<f16> = 0x1p-11;
template <>
inline constexpr double unit_roundoff<bf16> = 0x1p-8;

// `count` elements, 16-byte aligned, between guard zones. Everything starts as NaN (integers: all ones), so a read of
// something nobody wrote shows in the result, and check() finds writes beyond either end.
template <class T>
class DeviceMemory {
  public:
    explicit DeviceMemory(size_t count) : count_(count), cells_((count * sizeof(T) + 15) / 16 + 2 * kGuard) {
        reset();
    }
    explicit DeviceMemory(const std::vector<T>& values) : DeviceMemory(values.size()) {
        std::copy(values.begin(), values.end(), data());
    }
    void reset() { std::memset(static_cast<void*>(cells_.data()), 0xff, cells_.size() * 16); }
    T* data() { return reinterpret_cast<T*>(cells_.data() + kGuard); }
    const T* data() const { return reinterpret_cast<const T*>(cells_.data() + kGuard); }
    size_t size() const { return count_; }
    T& operator[](size_t i) { return data()[i]; }
    const T& operator[](size_t i) const { return data()[i]; }
    std::vector<float> values() const {
        std::vector<float> out;
        for (size_t i = 0; i < count_; ++i) out.push_back(widen((*this)[i]));
        return out;
    }
    // True where elements [begin, end) are as reset() left them: the padding of a pitched tensor.
    bool untouched(size_t begin, size_t end) const {
        const auto* bytes = reinterpret_cast<const unsigned char*>(data());
        return std::all_of(
            bytes + begin * sizeof(T), bytes + end * sizeof(T), [](unsigned char b) { return b == 0xff; });
    }
    void check() const {
        const auto* bytes = reinterpret_cast<const unsigned char*>(cells_.data());
        for (size_t i = 0; i < cells_.size() * 16; ++i)
            if ((i < kGuard * 16 || i >= kGuard * 16 + count_ * sizeof(T)) && bytes[i] != 0xff)
                throw Failure("a kernel wrote outside its output buffer");
    }

  private:
    static constexpr size_t kGuard = 16;  // cells of 16 bytes
    struct alignas(16) Cell {
        unsigned char bytes[16];
    };
    size_t count_;
    std::vector<Cell> cells_;
};

// Late and early copies, threads in order and shuffled: a kernel must give the same bits under all four.
inline std::array<simt::Options, 4> schedules() {
    using simt::Timing;
    return {{{Timing::late, 0}, {Timing::late, 3}, {Timing::early, 0}, {Timing::early, 7}}};
}

// The line of kernels/catalogue.h.
struct Catalogued {
    const char* name;
    int threads, shared;
};
inline Catalogued catalogued(const std::string& name) {
    static const Catalogued kernels[] = {
#define MIRROR_KERNEL(name, Params, threads, shared, architecture, tile) {#name, threads, shared},
#include "catalogue.h"
#undef MIRROR_KERNEL
    };
    for (const Catalogued& kernel : kernels)
        if (kernel.name == name) return kernel;
    throw Failure(name + " is not in the catalogue");
}

template <class Params>
void run(void (*kernel)(const Params), const LaunchShape& shape, const Params& params, const simt::Options& schedule) {
    CHECK(shape.x >= 1 && shape.x < (1ll << 31) && shape.y >= 1 && shape.y <= 65535 && shape.z >= 1 &&
          shape.z <= 65535);
    CHECK(shape.threads >= 32 && shape.threads <= 1024 && shape.threads % 32 == 0);
    CHECK(shape.shared >= 0 && shape.shared <= 227 * 1024);
    simt::launch({static_cast<unsigned>(shape.x), static_cast<unsigned>(shape.y), static_cast<unsigned>(shape.z)},
                 {static_cast<unsigned>(shape.threads)},
                 static_cast<size_t>(shape.shared),
                 [&] { kernel(params); },
                 schedule);
}
// Under every schedule; `before` resets the outputs, `after` checks them.
template <class Params, class Before, class After>
void run_schedules(
    void (*kernel)(const Params), const LaunchShape& shape, const Params& params, Before before, After after) {
    for (const simt::Options& schedule : schedules()) {
        before();
        run(kernel, shape, params, schedule);
        after();
    }
}

}  // namespace test
