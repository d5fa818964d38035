// Tiles and launches of the convolutions that run on every supported GPU (sm_80 and later): conv2d_mma.cu on tensor
// cores for f16 and bf16, conv2d_f32.cu on the FP32 units. Plain C++: the kernels take their constants from here, so
// launcher and kernel cannot disagree.
#pragma once

#include "common/launch.h"
#include "common/params.h"

// One block computes BM output pixels x BN filters and walks the K axis (filter taps x channels) BK elements at a
// time, STAGES slices deep in shared memory. ELEMENT is sizeof(T).
template <int ELEMENT, int BM_, int BN_, int BK_, int WARPS_M_, int WARPS_N_, int STAGES_>
struct Conv2dTile {
    static constexpr int BM = BM_, BN = BN_, BK = BK_, STAGES = STAGES_;
    static constexpr int WARPS_M = WARPS_M_, WARPS_N = WARPS_N_, THREADS = 32 * WARPS_M * WARPS_N;
    static constexpr int WM = BM / WARPS_M, WN = BN / WARPS_N;  // a warp's part of the tile
    static constexpr int ROW_BYTES = BK * ELEMENT, VECS = ROW_BYTES / 16;
    static constexpr int STAGE_BYTES = (BM + BN) * ROW_BYTES;
    // Half-precision results leave through shared memory, after the last slice is consumed. Eight elements of padding
    // turn each row by four banks, so the fragments' 4-byte stores meet no conflict.
    static constexpr int OUT_PITCH = BN + 8;
    static constexpr int OUT_BYTES = ELEMENT == 2 ? BM * OUT_PITCH * ELEMENT : 0;
    static constexpr int SHARED = STAGES * STAGE_BYTES > OUT_BYTES ? STAGES * STAGE_BYTES : OUT_BYTES;
    static_assert(ROW_BYTES == 64 || ROW_BYTES == 128, "swizzled() knows rows of 64 and 128 bytes");
};

//                                   element   BM   BN  BK  warps  stages     shared
using Conv2dHalf_128x128x32 = Conv2dTile<2, 128, 128, 32, 2, 4, 3>;  // 49,152
using Conv2dHalf_128x64x32 = Conv2dTile<2, 128, 64, 32, 4, 2, 4>;    // 49,152
using Conv2dHalf_64x64x64 = Conv2dTile<2, 64, 64, 64, 2, 2, 3>;      // 49,152
using Conv2dHalf_64x64x32 = Conv2dTile<2, 64, 64, 32, 2, 2, 4>;      // 32,768
using Conv2dFloat_128x64 = Conv2dTile<4, 128, 64, 16, 4, 1, 2>;      // 24,576
using Conv2dFloat_64x64 = Conv2dTile<4, 64, 64, 16, 2, 2, 3>;        // 24,576

// One block per tile of y, in one grid dimension, filters fastest: neighbouring blocks read the same pixels.
// n * p * q must stay below 2^31 - 256.
template <class Tile>
inline LaunchShape conv2d_launch(const Conv2dParams& p) {
    LaunchShape shape;
    shape.x = div_up(1ll * p.n * p.p * p.q, Tile::BM) * div_up(p.k, Tile::BN);
    shape.threads = Tile::THREADS;
    shape.shared = Tile::SHARED;
    return shape;
}
