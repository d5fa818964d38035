// Tiles and launch of prmac_wgmma_f16_35x256: PR-MAC of 35 regions x 256 dimensions on Hopper.
#pragma once

#include "search/prmac_launch.h"  // kPrmacRegions, ...Dim, ...Images, ...Columns

namespace prmac_wgmma {

constexpr int kRows = 64;          // query rows of a tile, one warpgroup's
constexpr int kBox = 64;           // columns of a TMA box: rows of 128 bytes
constexpr int kLeft = 144;         // the 280 rows of a database tile as two products
constexpr int kRight = 136;
constexpr int kThreads = 128 * 3;  // a warpgroup that copies, two that multiply in turns

constexpr int kSlices = kPrmacDim / kBox;
constexpr int kBaseBytes = kPrmacColumns * kPrmacDim * 2;
constexpr int kQueryBytes = kRows * kPrmacDim * 2;
constexpr int kMaximaBytes = kRows * kPrmacImages * 4;
constexpr int kMaximaBuffers = 4;
constexpr int kBarriers = kSlices + 2 * 2 + 2 + kMaximaBuffers;
constexpr int kShared = kBaseBytes + 2 * kQueryBytes + kMaximaBuffers * kMaximaBytes + kBarriers * 8;

static_assert(kLeft + kRight == kPrmacColumns && kLeft % 8 == 0 && kRight % 8 == 0, "two products of wgmma");
static_assert(kShared <= 227 * 1024, "one block per multiprocessor");

// Row coordinates of the maps are int, with room for the last tile.
constexpr bool applies(const ScoreParams& p) {
    const long long most = ((1ll << 31) - 1024) / kPrmacRegions;
    return p.regions == kPrmacRegions && p.dim == kPrmacDim && p.similarity == 0 && p.metric == 0 && p.nq <= most &&
           p.nd <= most;
}

}  // namespace prmac_wgmma

// Blocks in x walk the database tiles, each with its strip of query images in y. With many database tiles one strip is
// enough, for as many blocks as there are multiprocessors. With few, queries are cut into strips of at least 128 images
// (70 tiles, no remainder) until there are some eight blocks to each multiprocessor, which even out; and of at least 9
// (5 tiles, 98% full) where not even all multiprocessors would have one.
inline LaunchShape prmac_wgmma_launch(const ScoreParams& p, int processors) {
    const long long tiles = div_up(p.nd, kPrmacImages);
    const auto strips_of = [&](long long images, long long wanted) {
        const long long most = div_up(p.nq, images);
        return wanted < most ? wanted : most;
    };
    long long strips = strips_of(128, div_up(8ll * processors, tiles));
    if (tiles * strips < processors) strips = strips_of(9, div_up(processors, tiles));
    LaunchShape shape;
    shape.x = strips > 1 || tiles < processors ? tiles : processors;
    shape.y = strips;
    shape.threads = prmac_wgmma::kThreads;
    shape.shared = prmac_wgmma::kShared;
    return shape;
}
