// Launches of kernels/pool. `vec`: elements of T per 16 bytes, 4 or 8.
#pragma once
#include "common/launch.h"
#include "common/params.h"

constexpr int kPoolThreads = 256;
constexpr int kPoolStrip = 4;  // outputs of a thread, side by side

inline LaunchShape pool2d_launch(const Pool2dParams& p, int vec) {
    const long long items = 1ll * p.n * p.p * div_up(p.q, kPoolStrip) * (p.c / vec);
    return {div_up(items, kPoolThreads), 1, 1, kPoolThreads, 0};
}

constexpr int kRegionThreads = 256;
constexpr int kRegionBlocks = 4;  // of a multiprocessor: 64 registers, where clang would take 83 for GeM from all pools
constexpr int kRegionLanes = 32;  // vectors of channels side by side
constexpr int kRegionGroups = kRegionThreads / kRegionLanes;
// Doubles from one element of the lanes' vectors to the next: both the writes by lane and the reads by channel are
// free of bank conflicts.
template <int Vec>
constexpr int kRegionPitch = kRegionLanes + 32 / Vec;

inline LaunchShape region_pool_launch(const RegionPoolParams& p, int vec) {
    const long long chunks = p.normalize ? 1 : div_up(p.c, kRegionLanes * vec);
    const int shared = kRegionGroups * (vec * kRegionLanes + 32 + 1) * 8;
    return {p.n * chunks * p.count, 1, 1, kRegionThreads, shared};
}
