// Tiles and launch of prmac_mma_f16_35x256_*: PR-MAC of 35 regions x 256 dimensions, fused, on tensor cores.
#pragma once

#include "common/launch.h"
#include "common/params.h"

// The database tile is eight images: 8 * 35 = 280 is the first multiple of 35 that m16n8k16 divides into whole columns.
constexpr int kPrmacRegions = 35, kPrmacDim = 256, kPrmacImages = 8, kPrmacColumns = kPrmacRegions * kPrmacImages;

// Two warps for every 32 query rows, one per half of the database tile. A block takes CHUNK query images, whose rows
// fill its row tiles to 98.4% (18 * 35 = 630 of 5 * 128, 9 * 35 = 315 of 5 * 64), and up to TILES database tiles.
template <int BM_, int STAGES_, int CHUNK_>
struct PrmacTile {
    static constexpr int BM = BM_, STAGES = STAGES_, BK = 32, SLICES = kPrmacDim / BK, CHUNK = CHUNK_, TILES = 64;
    static constexpr int THREADS = 2 * BM;
    static constexpr int STAGE_BYTES = kPrmacColumns * BK * 2;
    static constexpr int RING = BM * kPrmacDim * 2;            // offsets in shared memory: the query tile is first
    static constexpr int BEST = RING + STAGES * STAGE_BYTES;
    static constexpr int BEST_PITCH = BM + 4, BEST_COLUMNS = kPrmacImages + 1;
    static constexpr int CARRY = BEST + BEST_COLUMNS * BEST_PITCH * 4;
    static constexpr int SHARED = CARRY + 2 * TILES * kPrmacImages * 4;
};
using Prmac_128 = PrmacTile<128, 4, 18>;  // 256 threads, 146,064 bytes: sm_80, sm_90
using Prmac_64 = PrmacTile<64, 3, 9>;     // 128 threads, 93,072 bytes: sm_86 and sm_89 too

// Database images that 65,535 strips hold, 601 GB of them: prmac_mma_launch is for no more.
template <class Tile>
constexpr long long kPrmacMostImages = 65535ll * Tile::TILES * kPrmacImages;

// Query chunks in x, so that blocks running together stream the same database tiles from L2; database strips in y,
// as long as the shared partial sums allow while there are some four blocks for each of `processors` SMs.
template <class Tile>
inline LaunchShape prmac_mma_launch(const ScoreParams& p, int processors) {
    LaunchShape shape;
    const long long tiles = div_up(p.nd, kPrmacImages), chunks = div_up(p.nq, Tile::CHUNK);
    long long strip = tiles * chunks / (4ll * processors);
    if (strip < div_up(tiles, 65535)) strip = div_up(tiles, 65535);
    if (strip > Tile::TILES) strip = Tile::TILES;  // last: `carry` holds no more, whatever is launched
    shape.x = chunks;
    shape.y = div_up(tiles, strip);
    shape.threads = Tile::THREADS;
    shape.shared = Tile::SHARED;
    return shape;
}
