// The k best of a stream of scores, exactly as a full sort would give them: better scores first,
// equal scores by lower id. Ids must arrive in ascending order, so an equal score that comes later
// never displaces one that is kept.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace mirror {

struct Candidate {
    float key;  // larger is better: the score, or its negative where smaller is better
    int32_t id;
};

inline bool better(const Candidate& a, const Candidate& b) {
    return a.key != b.key ? a.key > b.key : a.id < b.id;
}

class TopK {
  public:
    TopK(const TopK&) = delete;  // a copy would not keep the reserved memory
    TopK(TopK&&) = default;
    // At most `stream` candidates will come; k >= 1. All memory is taken here.
    TopK(int64_t k, int64_t stream)
        : k_(static_cast<size_t>(k)),
          capacity_(static_cast<size_t>(std::min(2 * k + kSlack, stream))) {
        items_.reserve(capacity_);
    }

    void clear() { items_.clear(), full_ = false; }

    // scores[i] belongs to id first_id + i.
    void push(const float* scores, int64_t count, int64_t first_id, bool smallest) {
        for (int64_t i = 0; i < count; ++i) {
            const float key = smallest ? -scores[i] : scores[i];
            if (full_ && !(key > threshold_)) continue;
            if (items_.size() == capacity_) {
                prune();
                if (!(key > threshold_)) continue;
            }
            items_.push_back({key, static_cast<int32_t>(first_id + i)});
        }
    }

    const std::vector<Candidate>& items() const { return items_; }  // unordered, holds the k best
    size_t capacity() const { return capacity_; }

  private:
    // Keeps the k best and the worst of their keys. Only a stream longer than the capacity gets
    // here, and then the capacity is above k.
    void prune() {
        std::nth_element(items_.begin(), items_.begin() + (k_ - 1), items_.end(), better);
        items_.resize(k_);
        threshold_ = items_[k_ - 1].key;
        full_ = true;
    }

    static constexpr int64_t kSlack = 64;  // a small k does not prune all the time

    size_t k_, capacity_;
    bool full_ = false;
    float threshold_ = 0;
    std::vector<Candidate> items_;
};

}  // namespace mirror
