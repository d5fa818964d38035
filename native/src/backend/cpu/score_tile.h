// Scores of a few query images against a few database images: one GEMM whose product S stays in the
// second-level cache, reduced there to one score per pair of images. Every thread has its own tile
// and runs the GEMM alone, so that one thread's reduction overlaps the others' arithmetic. Both
// search and similarity are loops over tiles.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "mirror/mirror.h"

namespace mirror {

struct ScoreKind {
    int regions = 1, dim = 1;
    int32_t similarity = MIRROR_SIMILARITY_PR_MAC;
    int32_t metric = MIRROR_METRIC_DOT;
};

class ScoreTile {
  public:
    // How many images a tile takes; they depend on the regions only.
    static int query_images(int regions);
    static int row_images(int regions);

    explicit ScoreTile(const ScoreKind& kind);

    // Rows [nq, R, D] and [nd, R, D], nq and nd within the limits above. Score of pair (q, d) at
    // scores[q * stride + d]. Called inside a parallel region: never throws, false where oneDNN
    // failed.
    bool run(const float* queries,
             int nq,
             const float* rows,
             int nd,
             float* scores,
             int64_t stride) noexcept;

  private:
    void least_distances(const float* queries, int columns, const float* rows, int d);

    ScoreKind kind_;
    int64_t pitch_;  // floats from one row of the product to the next
    std::vector<float> product_, best_, query_norms_, row_norms_;
    std::vector<int> nearest_;
};

}  // namespace mirror
