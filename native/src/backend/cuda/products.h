// Similarity by cuBLAS products: see products.cpp.
#pragma once

#include "backend/cuda/store.h"

namespace mirror::cuda {

// The dot metric of score_rows through cuBLAS; scores equal those of the fused kernels within
// rounding.
void score_products(const std::shared_ptr<const Gpu>& gpu, const ScoreJob& job);

}  // namespace mirror::cuda
