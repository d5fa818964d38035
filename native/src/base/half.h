// The two half-precision types. bfloat16 is the upper half of a float32; float16 is IEEE 754
// binary16. Conversion to either rounds to nearest, ties to even, and keeps NaN.
#pragma once

#include <bit>
#include <cstdint>

namespace mirror {

struct bfloat16 {
    uint16_t bits;
};

struct float16 {
    uint16_t bits;
};

inline float to_float(float value) {
    return value;
}
inline float to_float(bfloat16 value) {
    return std::bit_cast<float>(static_cast<uint32_t>(value.bits) << 16);
}

inline float to_float(float16 value) {
    const uint32_t sign = static_cast<uint32_t>(value.bits & 0x8000) << 16;
    const uint32_t exponent = value.bits >> 10 & 31, mantissa = value.bits & 0x3FF;
    if (exponent == 0) {
        const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
        return sign ? -magnitude : magnitude;
    }
    const uint32_t biased = exponent == 31 ? 255 : exponent + 112;
    return std::bit_cast<float>(sign | biased << 23 | mantissa << 13);
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

template <>
inline float16 from_float<float16>(float value) {
    uint32_t bits = std::bit_cast<uint32_t>(value);
    const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
    bits &= 0x7FFFFFFF;
    if (bits > 0x7F800000) return {static_cast<uint16_t>(sign | 0x7E00)};
    if (bits >= 0x477FF000) return {static_cast<uint16_t>(sign | 0x7C00)};  // rounds to infinity
    if (bits < 0x38800000) {  // subnormal: the float adder rounds at the right place
        const float aligned = std::bit_cast<float>(bits) + 0.5f;
        return {static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(aligned) - 0x3F000000))};
    }
    bits += 0xFFF + (bits >> 13 & 1);
    return {static_cast<uint16_t>(sign | ((bits - 0x38000000) >> 13))};
}

}  // namespace mirror
