// The three tensor maps that ScoreParams::maps holds for prmac_wgmma_*, in this order: query, left, right.
#pragma once

#include "common/tensor_map.h"
#include "search/prmac_wgmma_launch.h"

struct PrmacMaps {
    TiledMap query, left, right;
};

inline PrmacMaps prmac_wgmma_maps(const ScoreParams& p) {
    const auto rows = [](const void* base, long long images, int box) {
        return TiledMap{base,
                        {kPrmacDim, static_cast<uint64_t>(images) * kPrmacRegions},
                        kPrmacDim * 2,
                        {prmac_wgmma::kBox, static_cast<uint32_t>(box)}};
    };
    return {rows(p.q, p.nq, prmac_wgmma::kRows),
            rows(p.d, p.nd, prmac_wgmma::kLeft),
            rows(p.d, p.nd, prmac_wgmma::kRight)};
}
