// Sixteen floats that are worked on together: a compiler's vector type, which it maps to whatever
// registers the surrounding function may use (simd.h), or plain loops where there is none.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/half.h"

#if defined(__GNUC__)
#define MIRROR_INLINE inline __attribute__((always_inline))
#else
#define MIRROR_INLINE inline
#endif

namespace mirror {

constexpr int lanes = 16;

#if defined(__GNUC__)
using Lanes = float __attribute__((vector_size(4 * lanes)));

// The first `count` <= lanes are read, the others are zero.
MIRROR_INLINE Lanes load(const float* from, int count) {
    Lanes value{};
    std::memcpy(&value, from, static_cast<size_t>(count) * sizeof(float));
    return value;
}

MIRROR_INLINE void store(Lanes value, float* to, int count) {
    std::memcpy(to, &value, static_cast<size_t>(count) * sizeof(float));
}

using LaneBits = uint32_t __attribute__((vector_size(4 * lanes)));
using LaneHalves = uint16_t __attribute__((vector_size(2 * lanes)));

MIRROR_INLINE Lanes load(const bfloat16* from, int count) {
    LaneHalves value{};
    std::memcpy(&value, from, static_cast<size_t>(count) * sizeof(bfloat16));
    return reinterpret_cast<Lanes>(__builtin_convertvector(value, LaneBits) << 16);
}

// Rounds as from_float<bfloat16>() does.
MIRROR_INLINE void store(Lanes value, bfloat16* to, int count) {
    const auto bits = reinterpret_cast<LaneBits>(value);
    const LaneBits rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
    const LaneBits quiet_nan = bits >> 16 | 0x40;
    const LaneBits kept = (bits & 0x7FFFFFFF) > 0x7F800000 ? quiet_nan : rounded;
    const LaneHalves halves = __builtin_convertvector(kept, LaneHalves);
    std::memcpy(to, &halves, static_cast<size_t>(count) * sizeof(bfloat16));
}

MIRROR_INLINE Lanes positive(Lanes x) {
    return x < Lanes{} ? Lanes{} : x;
}
#else
struct Lanes {
    float value[lanes];
};

template <class F>
inline Lanes lane_by_lane(F&& f) {
    Lanes result;
    for (int i = 0; i < lanes; ++i) result.value[i] = f(i);
    return result;
}

inline Lanes operator+(const Lanes& x, const Lanes& y) {
    return lane_by_lane([&](int i) { return x.value[i] + y.value[i]; });
}
inline Lanes operator-(const Lanes& x, const Lanes& y) {
    return lane_by_lane([&](int i) { return x.value[i] - y.value[i]; });
}
inline Lanes operator*(float x, const Lanes& y) {
    return lane_by_lane([&](int i) { return x * y.value[i]; });
}
inline Lanes positive(const Lanes& x) {
    return lane_by_lane([&](int i) { return x.value[i] < 0 ? 0 : x.value[i]; });
}

template <class T>
inline Lanes load(const T* from, int count) {
    return lane_by_lane([&](int i) { return i < count ? to_float(from[i]) : 0; });
}

template <class T>
inline void store(const Lanes& value, T* to, int count) {
    for (int i = 0; i < count; ++i) to[i] = from_float<T>(value.value[i]);
}
#endif

}  // namespace mirror
