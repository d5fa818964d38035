// Launches of kernels/image.
#pragma once
#include "common/launch.h"
#include "common/params.h"

constexpr int kImageThreads = 256;
constexpr int kTileWidth = 32, kTileHeight = 8;  // pixels of a block of preprocess

inline LaunchShape preprocess_launch(const PreprocessParams& p) {
    return {div_up(p.out.width, kTileWidth) * div_up(p.out.height, kTileHeight), 1, 1, kImageThreads, 0};
}

constexpr int kPackGroup = 4;  // elements that a thread writes

inline LaunchShape pack_launch(const PackParams& p) {
    const long long groups = 1ll * p.n * p.out.height * p.out.width * (p.out.channels / kPackGroup);
    return {div_up(groups, kImageThreads), 1, 1, kImageThreads, 0};
}

inline LaunchShape unpack_launch(const UnpackParams& p) {
    return {div_up(p.rows * p.c, kImageThreads), 1, 1, kImageThreads, 0};
}
