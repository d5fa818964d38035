// Places buffers with known lifetimes in one block of memory.
#pragma once

#include <cstdint>
#include <vector>

namespace mirror {

struct Buffer {
    int64_t elements = 0;
    int first = 0;  // operations, inclusive: written by `first`, last read by `last`
    int last = 0;
    int64_t offset = 0;  // result, a multiple of arena_alignment
};

constexpr int64_t arena_alignment = 64;  // elements; 128 bytes or more whatever the type

// Sets every offset so that buffers alive at the same time do not overlap; returns the total size.
int64_t place(std::vector<Buffer>& buffers);

}  // namespace mirror
