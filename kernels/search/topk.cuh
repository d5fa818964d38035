// The k best scores of every row, best first, equal scores by lower id: the order a stable sort would give.
//
// A block owns a row. A score and its column make one word whose order is the wanted one, and no two are equal:
//
//   word = (key - least key of the row) << bits of a column | column       key: 32 bits, ascending from best to worst
//
//   1  least and greatest key: leading bits that all words share are never sorted
//   2  radix selection from the top, 11 bits at a time: histogram, the bin in which the k-th word lies, and on within
//      that bin until it is exhausted exactly (mostly two or three passes over the row)
//   3  words up to the k-th are collected in any order - there are exactly k - and sorted by a bitonic network, in
//      shared memory up to 4,096, beyond in the workspace
//
// +0 and -0 are equal; NaN, which callers refuse earlier, comes after every number. Values are copied from the row.
// Floor: the row read once from memory; a row of 9,368 scores stays in the first-level cache for the other passes.
#pragma once
#include "common/params.h"
#include "common/ptx.cuh"
#include "search/launch.h"

namespace topk {

constexpr int kBatch = 8;  // values a thread reads at once

MIRROR_FN u32 key_of(float score, bool smallest) {
    if (score != score) return 0xffffffffu;
    const u32 bits = gpu::float_bits(score + 0.f);
    const u32 ascending = bits >> 31 ? ~bits : bits | 0x80000000u;
    return smallest ? ascending : ~ascending;
}
MIRROR_FN int bit_length(u32 v) {
    int bits = 0;
    for (; v; v >>= 1) ++bits;
    return bits;
}

struct Row {
    const float* scores;
    i64 n;
    bool smallest;
    u32 least;
    int id_bits;
    MIRROR_FN u64 word(u32 key, i64 id) const { return u64(key - least) << id_bits | u64(id); }
};

// body(key, id, real) for every column; all lanes of a warp together.
template <class Body>
MIRROR_FN void for_each(const Row& row, Body&& body) {
    for (i64 first = 0; first < row.n; first += kBatch * kTopkThreads) {
        float values[kBatch];
#pragma unroll
        for (int j = 0; j < kBatch; ++j) {
            const i64 at = first + j * kTopkThreads + threadIdx.x;
            values[j] = at < row.n ? row.scores[at] : 0.f;
        }
#pragma unroll
        for (int j = 0; j < kBatch; ++j) {
            const i64 at = first + j * kTopkThreads + threadIdx.x;
            body(key_of(values[j], row.smallest), at, at < row.n);
        }
    }
}

struct Range {
    u32 least, greatest;
};
MIRROR_FN Range key_range(const Row& row, u32* control) {
    Range own{0xffffffffu, 0};
    for_each(row, [&](u32 key, i64, bool real) {
        if (!real) return;
        own.least = key < own.least ? key : own.least;
        own.greatest = key > own.greatest ? key : own.greatest;
    });
#pragma unroll
    for (int mask = 16; mask > 0; mask /= 2) {
        const u32 low = gpu::shfl_xor(own.least, mask), high = gpu::shfl_xor(own.greatest, mask);
        own.least = low < own.least ? low : own.least;
        own.greatest = high > own.greatest ? high : own.greatest;
    }
    if (threadIdx.x % 32 == 0) {
        control[threadIdx.x / 32] = own.least;
        control[kTopkWarps + threadIdx.x / 32] = own.greatest;
    }
    gpu::sync_block();
    for (int w = 0; w < kTopkWarps; ++w) {
        own.least = control[w] < own.least ? control[w] : own.least;
        own.greatest = control[kTopkWarps + w] > own.greatest ? control[kTopkWarps + w] : own.greatest;
    }
    return own;
}

// The bin that holds the `need`-th count (from 1), the counts before it, and its own.
struct Bin {
    u32 index, before, count;
};
MIRROR_FN Bin find_bin(const u32* histogram, u32* control, u32 need) {
    constexpr int own_bins = kTopkBins / kTopkThreads;
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    u32 own = 0;
    for (int i = 0; i < own_bins; ++i) own += histogram[threadIdx.x * own_bins + i];
    u32 sum = own;  // of the lanes up to this one
#pragma unroll
    for (int step = 1; step < 32; step *= 2) {
        const u32 lower = gpu::shfl(sum, (lane - step) & 31);
        if (lane >= step) sum += lower;
    }
    if (lane == 31) control[warp] = sum;
    gpu::sync_block();
    u32 before = sum - own;
    for (int w = 0; w < warp; ++w) before += control[w];
    u32* result = control + kTopkWarps;
    if (before < need && need <= before + own)  // one thread
        for (int i = 0;; ++i) {
            const u32 count = histogram[threadIdx.x * own_bins + i];
            if (need <= before + count) {
                result[0] = threadIdx.x * own_bins + i, result[1] = before, result[2] = count;
                break;
            }
            before += count;
        }
    gpu::sync_block();
    return {result[0], result[1], result[2]};
}

// words: a power of two of them.
MIRROR_FN void bitonic_sort(u64* words, u32 count) {
    for (u32 run = 2; run <= count && run; run *= 2)
        for (u32 distance = run / 2; distance > 0; distance /= 2) {
            for (u32 i = threadIdx.x; i < count / 2; i += kTopkThreads) {
                const u32 low = i / distance * 2 * distance + i % distance, high = low + distance;
                const u64 a = words[low], b = words[high];
                if ((a > b) == ((low & run) == 0)) words[low] = b, words[high] = a;
            }
            gpu::sync_block();  // the next distance pairs other words
        }
}

MIRROR_FN void topk(const TopkParams& p) {
    u32* histogram = reinterpret_cast<u32*>(gpu::dynamic_smem());
    u32* control = histogram + kTopkBins;
    u32 count = 1;
    while (count < u32(p.k)) count *= 2;
    u64* words = count <= kTopkSharedWords ? reinterpret_cast<u64*>(control + kTopkControl)
                                           : p.workspace + i64(blockIdx.x) * count;
    Row row{p.scores + i64(blockIdx.x) * p.pitch, p.n, p.smallest != 0, 0, bit_length(u32(p.n - 1))};
    const Range range = key_range(row, control);
    row.least = range.least;

    // Words whose bits from `shift` on are at most `prefix` are the best k - need, and `need` of them equal it.
    int shift = bit_length(range.greatest - range.least) + row.id_bits;
    u64 prefix = 0;
    u32 need = u32(p.k);
    for (bool exact = p.n == p.k; !exact && shift > 0;) {
        const int bits = shift < kTopkBits ? shift : kTopkBits, upper = shift;
        shift -= bits;
        for (int i = threadIdx.x; i < kTopkBins; i += kTopkThreads) histogram[i] = 0;
        gpu::sync_block();
        for_each(row, [&](u32 key, i64 id, bool real) {
            const u64 word = row.word(key, id);
            if (real && word >> upper == prefix)
                gpu::fetch_add_shared(histogram + (u32(word >> shift) & ((1u << bits) - 1)), 1);
        });
        gpu::sync_block();
        const Bin bin = find_bin(histogram, control, need);
        prefix = prefix << bits | bin.index;
        need -= bin.before;
        exact = bin.count == need;
    }

    u32* collected = control + kTopkControl - 1;
    if (threadIdx.x == 0) *collected = 0;
    for (u32 i = u32(p.k) + threadIdx.x; i < count; i += kTopkThreads) words[i] = ~u64(0);
    gpu::sync_block();
    const int lane = threadIdx.x % 32;
    for_each(row, [&](u32 key, i64 id, bool real) {
        const u64 word = row.word(key, id);
        const bool chosen = real && word >> shift <= prefix;
        const u32 votes = gpu::ballot(chosen);
        if (!votes) return;
        u32 place = lane == 0 ? gpu::fetch_add_shared(collected, u32(gpu::popcount(votes))) : 0;
        place = gpu::shfl(place, 0) + u32(gpu::popcount(votes & ((1u << lane) - 1)));
        if (chosen) words[place] = word;
    });
    gpu::sync_block();
    bitonic_sort(words, count);
    for (int i = threadIdx.x; i < p.k; i += kTopkThreads) {
        const int id = int(words[i] & ((u64(1) << row.id_bits) - 1));
        p.ids[i64(blockIdx.x) * p.k + i] = id;
        p.values[i64(blockIdx.x) * p.k + i] = row.scores[id];
    }
}

}  // namespace topk
