// Launches of kernels/norm. `vec`: elements of T per 16 bytes, 4 or 8.
#pragma once
#include "common/launch.h"
#include "common/params.h"

constexpr int kLrnThreads = 256;

inline LaunchShape lrn_launch(const LrnParams& p, int vec) {
    return {div_up(p.rows * (p.c / vec), kLrnThreads), 1, 1, kLrnThreads, 0};
}

constexpr int kRowThreads = 256;
constexpr int kRowWarps = kRowThreads / 32;  // a row each

inline LaunchShape l2_normalize_launch(const L2Params& p) {
    return {div_up(p.rows, kRowWarps), 1, 1, kRowThreads, 0};
}

constexpr int kScanBatch = 4;          // values that a lane reads before the warp votes
constexpr int kScanBlocks = 132 * 16;  // at most; blocks stride over the rest

inline LaunchShape find_non_finite_launch(const FindNonFiniteParams& p) {
    const long long blocks = div_up(p.count, kRowThreads * kScanBatch);
    return {blocks < 1 ? 1 : blocks < kScanBlocks ? blocks : kScanBlocks, 1, 1, kRowThreads, 0};
}

inline LaunchShape cast_launch(const CastParams& p) {
    return {div_up(p.rows * (p.y_pitch / 8), kRowThreads), 1, 1, kRowThreads, 0};
}
