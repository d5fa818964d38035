// Powers of positive floats and their roots: the two halves of a generalised mean.
#pragma once
#include "ptx.cuh"

// t^p for 0 < t < 2 and 1 <= p <= 32. A whole p by squaring: p - 1 roundings, of which the p-th root leaves one. Any
// other on the special function unit, which leaves 4e-7. NaN stays NaN.
MIRROR_FN float power_of(float t, float p) {
    u32 rest = u32(p);
    if (float(rest) != p) return gpu::exp2_approx(p * gpu::log2_approx(t));
    float result = 1, square = t;
    for (;;) {
        if (rest & 1) result *= square;
        rest >>= 1;
        if (rest == 0) return result;
        square *= square;
    }
}

// v^(1/p) for normal v > 0 and p >= 1, within 1e-10: 2^(log2(v) / p). NaN and infinity stay.
MIRROR_FN double root_of(double v, float p) {
    constexpr double ln2 = 0.6931471805599453, sqrt2 = 1.4142135623730951;
    const u64 bits = gpu::double_bits(v);
    int exponent = int(bits >> 52);
    if (exponent >= 0x7ff) return v;
    double mantissa = gpu::bits_double((bits & 0xfffffffffffffull) | 0x3ff0000000000000ull);
    if (mantissa > sqrt2) mantissa *= 0.5, ++exponent;
    // log(m) = 2 (s + s^3 / 3 + s^5 / 5 + ...), |s| < 0.172
    const double s = gpu::div(mantissa - 1, mantissa + 1), s2 = s * s;
    double series = 1. / 13;
#pragma unroll
    for (int k = 11; k >= 1; k -= 2) series = gpu::fma(series, s2, 1. / k);
    const double log2 = gpu::div(exponent - 1023 + 2 / ln2 * s * series, double(p));
    const int whole = int(log2 + (log2 < 0 ? -0.5 : 0.5));
    const double rest = (log2 - whole) * ln2;  // exp by its series, |rest| < 0.35
    double e = 1;
#pragma unroll
    for (int k = 10; k >= 1; --k) e = gpu::fma(e, rest * (1. / k), 1.);
    return e * gpu::bits_double(u64(whole + 1023) << 52);
}
