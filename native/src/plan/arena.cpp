// Largest first, each at the lowest offset that is free during its life: within a few percent of
// the peak of live data on these networks.
#include "plan/arena.h"

#include <algorithm>
#include <numeric>

namespace mirror {
namespace {

int64_t align(int64_t elements) {
    return (elements + arena_alignment - 1) / arena_alignment * arena_alignment;
}

}  // namespace

int64_t place(std::vector<Buffer>& buffers) {
    std::vector<Buffer*> order;
    for (Buffer& buffer : buffers) order.push_back(&buffer);
    std::stable_sort(order.begin(), order.end(), [](const Buffer* a, const Buffer* b) {
        return a->elements > b->elements;
    });

    int64_t total = 0;
    std::vector<Buffer*> placed;  // by offset
    for (Buffer* buffer : order) {
        int64_t offset = 0;
        for (const Buffer* other : placed) {
            const bool together = other->first <= buffer->last && buffer->first <= other->last;
            if (!together) continue;
            if (offset + buffer->elements <= other->offset) break;
            offset = std::max(offset, align(other->offset + other->elements));
        }
        buffer->offset = offset;
        total = std::max(total, align(offset + buffer->elements));
        placed.insert(std::upper_bound(
                          placed.begin(),
                          placed.end(),
                          buffer,
                          [](const Buffer* a, const Buffer* b) { return a->offset < b->offset; }),
                      buffer);
    }
    return total;
}

}  // namespace mirror
