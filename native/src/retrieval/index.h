// Index: the descriptors of many images on one device, searched exactly, and query
// expansion. Arguments are checked here, so that every backend's Store may trust them.
#pragma once

#include <cstdint>
#include <memory>

#include "backend/backend.h"
#include "retrieval/finite.h"

namespace mirror {

inline constexpr int kMaxRegionsPerImage = 4096;
inline constexpr int kMaxDescriptorDim = 65536;

// INVALID_ARGUMENT unless both are within the limits above.
void require_descriptor(int32_t regions, int32_t dim);
void require_similarity(int32_t similarity, int32_t metric);

class Index {
  public:
    Index(std::shared_ptr<Backend> backend, int32_t regions, int32_t dim, int32_t precision);

    int64_t size() const { return store_->size(); }
    void add(const float* rows, int64_t count);
    // top is capped at size(); ids and scores [count, min(top, size())].
    void search(const float* queries,
                int64_t count,
                const mirror_search_options& options,
                int32_t* ids,
                float* scores) const;
    // out_r = L2(q_r + sum over the first neighbours of k results of w_j d_t(r)), see
    // mirror_index_expand. Double sums, written after all of an image is read: out may be queries.
    void expand(const float* queries,
                int64_t count,
                const int32_t* ids,
                const float* scores,
                int32_t k,
                const mirror_expand_options& options,
                float* out) const;

  private:
    void check_expansion(const float* queries,
                         int64_t count,
                         const int32_t* ids,
                         const float* scores,
                         int32_t k,
                         const mirror_expand_options& options,
                         const float* out) const;
    // Magnitude of a value.
    float largest() const { return precision_ == MIRROR_PRECISION_FP16 ? kMaxHalf : kMaxMagnitude; }

    std::shared_ptr<Backend> backend_;  // outlives the store
    int regions_, dim_;
    int32_t precision_;
    std::unique_ptr<Store> store_;
};

}  // namespace mirror
