// What a launch needs beside the parameters. Every folder's launch.h computes it from the parameters of its kernels, once for
// the CUDA backend, the emulator and the tests; tile constants that the catalogue lists live there too.
#pragma once

struct LaunchShape {
    long long x = 1, y = 1, z = 1;  // blocks; x below 2^31, y and z at most 65,535
    int threads = 0;
    int shared = 0;  // bytes of dynamic shared memory
};

constexpr long long div_up(long long value, long long unit) {
    return (value + unit - 1) / unit;
}
