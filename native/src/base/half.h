// bfloat16: the upper half of a float32. Conversion to it rounds to nearest, ties to even, and
// keeps NaN.
#pragma once

#include <bit>
#include <cstdint>

namespace mirror {

struct bfloat16 {
    uint16_t bits;
};

inline float to_float(float value) {
    return value;
}
inline float to_float(bfloat16 value) {
    return std::bit_cast<float>(static_cast<uint32_t>(value.bits) << 16);
}

template <class T>
T from_float(float value);

template <>
inline float from_float<float>(float value) {
    return value;
}

template <>
inline bfloat16 from_float<bfloat16>(float value) {
    const auto bits = std::bit_cast<uint32_t>(value);
    const uint32_t rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
    const uint32_t quiet_nan = bits >> 16 | 0x40;
    const bool is_nan = (bits & 0x7FFFFFFF) > 0x7F800000;
    return {static_cast<uint16_t>(is_nan ? quiet_nan : rounded)};
}

}  // namespace mirror
