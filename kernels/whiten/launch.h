// Launches of kernels/whiten.
#pragma once
#include "common/launch.h"
#include "common/params.h"

constexpr int kWhitenThreads = 128;
constexpr int kWhitenRows = 32, kWhitenColumns = 64;  // of a tile
constexpr int kWhitenDepth = 16;                      // dimensions of a stage
constexpr int kWhitenPitch = kWhitenDepth + 2;        // doubles: runs of 16 bytes stay free of bank conflicts
constexpr int kWhitenShared = (kWhitenRows + kWhitenColumns) * kWhitenPitch * 8;

inline LaunchShape whiten_launch(const WhitenParams& p) {
    return {div_up(p.rows, kWhitenRows), 1, 1, kWhitenThreads, kWhitenShared};
}

constexpr int kSumThreads = 1024;
constexpr int kSumColumns = 32;
constexpr int kSumGroups = kSumThreads / kSumColumns;
constexpr int kSumShared = kSumGroups * kSumColumns * 8;

inline LaunchShape column_sums_launch(const ColumnSumsParams& p) {
    return {div_up(p.dim, kSumColumns), 1, 1, kSumThreads, kSumShared};
}

constexpr int kCovarianceThreads = 256;
constexpr int kCovarianceTile = 64;
constexpr int kCovarianceDepth = 16;  // rows of a stage
constexpr int kCovarianceShared = 2 * kCovarianceDepth * kCovarianceTile * 8;

inline LaunchShape covariance_launch(const CovarianceParams& p) {
    const long long tiles = div_up(p.dim, kCovarianceTile);
    return {tiles * (tiles + 1) / 2, 1, 1, kCovarianceThreads, kCovarianceShared};
}

constexpr int kCenterThreads = 256;

inline LaunchShape center_launch(const CenterParams& p) {
    return {div_up(p.rows * p.dim, kCenterThreads), 1, 1, kCenterThreads, 0};
}
