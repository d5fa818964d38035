// Launches of score_*, reduce_products_f32 and topk_f32 (PR-MAC on tensor cores: prmac_launch.h).
#pragma once
#include "common/launch.h"
#include "common/params.h"

// score_*: a block scores a group of query images, whose regions fill one tile, against a group of database images,
// whose regions fill about four. Grid: x groups of the database, y of the queries.
constexpr int kScoreThreads = 256;
constexpr int kScoreRows = 128;    // of a tile of products
constexpr int kScoreColumns = 64;
constexpr int kScoreDepth = 8;     // dimensions of a stage
constexpr int kScoreRowPitch = kScoreRows + 4, kScoreColumnPitch = kScoreColumns + 4;
constexpr int kScoreStage = kScoreDepth * (kScoreRowPitch + kScoreColumnPitch);
constexpr int kScoreProductPitch = kScoreColumns + 1;
constexpr int kScoreProducts = kScoreRows * kScoreProductPitch;
constexpr int kScoreNorms = kScoreRows + kScoreColumns;
constexpr int kScoreBest = kScoreRows + 1;  // floats per image of the table of best matches

// At most; the kernel spreads the database evenly over the groups of the grid.
constexpr int score_images(int regions, int metric) {
    const int fitting = 8 * kScoreColumns / regions, limit = metric == 1 ? 32 : 64;
    return regions == 1 ? 2 * kScoreColumns : fitting < 1 ? 1 : fitting < limit ? fitting : limit;
}

inline LaunchShape score_launch(const ScoreParams& p) {
    const long long columns = div_up(p.nd, score_images(p.regions, p.metric));
    const long long rows = div_up(p.nq, p.regions > kScoreRows ? 1 : kScoreRows / p.regions);
    const int tables = p.regions == 1 ? 0 : p.metric == 1 ? 3 : 1;
    const int best = tables * static_cast<int>(div_up(p.nd, columns)) * kScoreBest;
    const int norms = p.metric == 1 ? kScoreNorms : 0;
    return {columns, rows < 65535 ? rows : 65535, 1, kScoreThreads, (kScoreProducts + norms + best) * 4};
}

constexpr int kReduceThreads = 256;

inline LaunchShape reduce_products_launch(const ReduceProductsParams& p) {  // a warp per pair of images
    return {div_up(p.nq * p.nd, kReduceThreads / 32), 1, 1, kReduceThreads, 0};
}

constexpr int kTopkThreads = 512;
constexpr int kTopkWarps = kTopkThreads / 32;
constexpr int kTopkBits = 11;  // of a digit of the radix selection
constexpr int kTopkBins = 1 << kTopkBits;
constexpr int kTopkSharedWords = 4096;  // selected words that are sorted in shared memory; more: in the workspace
constexpr int kTopkControl = 64;        // 32-bit words beside the histogram

// 64-bit words of TopkParams::workspace per row.
constexpr long long topk_workspace_words(int k) {
    long long words = 1;
    while (words < k) words *= 2;
    return words;
}

inline LaunchShape topk_launch(const TopkParams& p) {
    const long long words = topk_workspace_words(p.k);
    const int shared = words <= kTopkSharedWords ? static_cast<int>(words) * 8 : 0;
    return {p.rows, 1, 1, kTopkThreads, (kTopkBins + kTopkControl) * 4 + shared};
}
