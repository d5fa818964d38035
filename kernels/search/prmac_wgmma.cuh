// PR-MAC similarity on Hopper, fused, for 35 regions of 256 dimensions in f16.
//
//     score(i, j) = sum over regions r of q_i of (max over regions t of d_j of <q_i,r , d_j,t>)
//
// Contract: ScoreParams with similarity 0, metric 0 and `maps`: query (boxes of 64 x 64), left and right (64 x 144 and
// 64 x 136) over [rows][256] f16. The product of all regions is never stored: a row of it shrinks in registers to one
// maximum per database image, and the 35 rows of a query image are added from shared memory, in the order of r.
//
//                    database tile: 8 x 35 rows         warpgroup 0     one thread loads both
//                  | 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 |
//                  |   left: 144    | right: 136   |
//    64 query rows |          warpgroup 1          |    warpgroups 1, 2 multiply in turns: while one finds its maxima,
//    64            |          warpgroup 2          |                    the tensor cores work for the other
//    64            |          warpgroup 1          |
//    ...
//
// A block owns whole query images (a strip of them) and walks its database tiles; for each, the strip's query tiles
// stream past. 35 does not divide 64, so images straddle tiles: a tile adds up the images that end in it, from its own
// maxima and those of the tile before, which the other warpgroup left in a ring of four buffers. Every score is
// therefore written once, by one thread, without atomics or zeroing, and its bits depend on nothing but the two images.
//
//   base_full[s]               slice s of the database tile, 64 dimensions, has landed: products start on the first
//   query_full[g], query_gone[g]  query tile of warpgroup g landed; multiplied: behind the last two of a strip, the
//                              database tile is free too
//   turn[g]                    the other warpgroup has issued its products
//   maxima[b]                  the four warps of a tile have written buffer b
// A buffer is written again four tiles later; in between lie two turns of the warpgroup that reads it last.
//
// Floor: 2 * 35^2 * 256 FLOP per score at the tensor cores (96 bytes of shared memory per clock, of 128). L2 reads
// 32 KB per 64 x 280 products: 15 bytes per clock and multiprocessor. DRAM: the database once per strip.
#pragma once
#include "common/params.h"
#include "common/ptx_sm90.cuh"
#include "search/prmac_wgmma_launch.h"

#if defined(MIRROR_SM90) || !defined(MIRROR_DEVICE_CODE)

namespace prmac_wgmma {

struct Shared {  // addresses
    u32 base, query, base_full, query_full, query_gone, turn, maxima_full;
    float* maxima;  // [4 tiles][64 rows][8 images]
    MIRROR_FN Shared() {
        base = gpu::smem_addr(gpu::dynamic_smem()), query = base + kBaseBytes;
        maxima = reinterpret_cast<float*>(gpu::dynamic_smem() + kBaseBytes + 2 * kQueryBytes);
        base_full = query + 2 * kQueryBytes + kMaximaBuffers * kMaximaBytes, query_full = base_full + 8 * kSlices;
        query_gone = query_full + 16, turn = query_gone + 16, maxima_full = turn + 16;
    }
    MIRROR_FN void init_barriers() const {
        for (int i = 0; i < kSlices; ++i) gpu::mbar_init(base_full + 8 * i, 1);
        for (int g = 0; g < 2; ++g) {
            gpu::mbar_init(query_full + 8 * g, 1), gpu::mbar_init(query_gone + 8 * g, 4);
            gpu::mbar_init(turn + 8 * g, 4);
        }
        for (int i = 0; i < kMaximaBuffers; ++i) gpu::mbar_init(maxima_full + 8 * i, 4);
        gpu::mbar_fence_init();
    }
    MIRROR_FN void wait_maxima(u32 count) const {  // of the block's tile number `count`
        gpu::mbar_wait(maxima_full + 8 * (count % kMaximaBuffers), count / kMaximaBuffers % 2);
    }
};

struct Work {  // of a block; row numbers are int (prmac_wgmma::applies)
    int query;   // first image
    int images;  // of the strip, <= 0: none
    int steps;   // query tiles of the strip
    int tiles;   // database tiles of the launch
    MIRROR_FN explicit Work(const ScoreParams& p) {
        const int all = int(p.nq), strip = (all + int(gridDim.y) - 1) / int(gridDim.y);
        query = strip * int(blockIdx.y);
        images = all - query < strip ? all - query : strip;
        steps = (images * kPrmacRegions + kRows - 1) / kRows;
        tiles = (int(p.nd) + kPrmacImages - 1) / kPrmacImages;
    }
};

MIRROR_FN void load_query(const Work& work, const TensorMap* map, const Shared& at, int group, int t) {
    const u32 full = at.query_full + 8 * group, query = at.query + group * kQueryBytes;
    gpu::mbar_arrive_expect(full, kQueryBytes);
    for (int i = 0; i < kSlices; ++i)
        gpu::tma_load_2d(query + i * kRows * 128, map, full, i * kBox, work.query * kPrmacRegions + t * kRows);
}

MIRROR_FN void load_base(const TensorMap* left, const TensorMap* right, const Shared& at, int tile) {
    for (int i = 0; i < kSlices; ++i) {
        const u32 slice = at.base + i * kPrmacColumns * 128, full = at.base_full + 8 * i;
        gpu::mbar_arrive_expect(full, kBaseBytes / kSlices);
        gpu::tma_load_2d(slice, left, full, i * kBox, tile * kPrmacColumns);
        gpu::tma_load_2d(slice + kLeft * 128, right, full, i * kBox, tile * kPrmacColumns + kLeft);
    }
}

MIRROR_FN void load(const Work& work, const TensorMap* maps, const Shared& at) {
    for (int i = 0; i < 3; ++i) gpu::tma_acquire(maps + i);
    int group = 0, parity = 0;
    for (int tile = blockIdx.x; tile < work.tiles; tile += gridDim.x)
        for (int t = 0; t < work.steps; ++t) {
            gpu::mbar_wait(at.query_gone + 8 * group, parity ^ 1);  // the tile before the last
            load_query(work, maps, at, group, t);
            if (t == 0) {
                gpu::mbar_wait(at.query_gone + 8 * (group ^ 1), group == 0 ? parity ^ 1 : parity);  // the last
                load_base(maps + 1, maps + 2, at, tile);
            }
            parity ^= group;
            group ^= 1;
        }
}

// Maximum over the columns of one image among TILES n8 tiles from column FIRST on, of the row and the columns that this
// thread holds: acc[j * 4 + half * 2 + e] is column FIRST + j * 8 + lane % 4 * 2 + e.
template <int IMAGE, int FIRST, int TILES>
MIRROR_FN float image_max(const float* acc, int half, float best) {
    constexpr int BEGIN = IMAGE * kPrmacRegions, END = BEGIN + kPrmacRegions;
    const float lowest = gpu::bits_float(0xff800000u);  // -infinity
#pragma unroll
    for (int j = 0; j < TILES; ++j) {
        const int low = FIRST + j * 8;
        if (low + 8 <= BEGIN || low >= END) continue;
#pragma unroll
        for (int e = 0; e < 2; ++e) {
            float v = acc[j * 4 + half * 2 + e];
            if (low < BEGIN || low + 8 > END) {  // the n8 tile holds columns of two images
                const int column = low + threadIdx.x % 4 * 2 + e;
                v = column >= BEGIN && column < END ? v : lowest;
            }
            best = gpu::max_f32(best, v);
        }
    }
    return best;
}
template <int IMAGE>
MIRROR_FN float image_max(const float (&left)[kLeft / 2], const float (&right)[kRight / 2], int half) {
    const float best = image_max<IMAGE, 0, kLeft / 8>(left, half, gpu::bits_float(0xff800000u));
    return image_max<IMAGE, kLeft, kRight / 8>(right, half, best);
}

// The lane keeps one of two values, its partner the other; each the greater of its own and the partner's.
MIRROR_FN float exchange_max(float first, float second, bool keep_second, int lane_mask) {
    return gpu::max_f32(keep_second ? second : first, gpu::shfl_xor(keep_second ? first : second, lane_mask));
}

// The eight image maxima of each row, to maxima[row][image]: the four lanes of a row exchange halves, so that each ends
// with two of them.
MIRROR_FN void write_maxima(const float (&left)[kLeft / 2], const float (&right)[kRight / 2], float* maxima) {
    const int lane = threadIdx.x % 32, warp = threadIdx.x % 128 / 32;
    const bool odd = lane & 1, upper = lane & 2;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        float v[kPrmacImages] = {image_max<0>(left, right, half), image_max<1>(left, right, half),
                                 image_max<2>(left, right, half), image_max<3>(left, right, half),
                                 image_max<4>(left, right, half), image_max<5>(left, right, half),
                                 image_max<6>(left, right, half), image_max<7>(left, right, half)};
#pragma unroll
        for (int i = 0; i < 4; ++i) v[i] = exchange_max(v[i], v[i + 4], odd, 1);
#pragma unroll
        for (int i = 0; i < 2; ++i) v[i] = exchange_max(v[i], v[i + 2], upper, 2);
        float* row = maxima + (warp * 16 + half * 8 + lane / 4) * kPrmacImages;
        *reinterpret_cast<float2*>(row + odd * 4 + upper * 2) = {v[0], v[1]};
    }
}

// The images of the strip whose last row lies in query tile t, at most two: a thread per image and database image.
// `count` numbers the tiles of the block; that of t lies in the ring's buffer count % 4.
MIRROR_FN void write_scores(const ScoreParams& p, const Work& work, int tile, int t, u32 count, const float* maxima) {
    const int thread = threadIdx.x % 128, image = t * kRows / kPrmacRegions + thread / kPrmacImages;
    const int end = (t + 1) * kRows / kPrmacRegions < work.images ? (t + 1) * kRows / kPrmacRegions : work.images;
    const i64 column = i64(tile) * kPrmacImages + thread % kPrmacImages;
    if (image >= end || column >= p.nd) return;
    // Tile after tile, the rows of the strip follow each other in the ring's 4 * 64.
    const u32 first = (count - u32(t)) * kRows + u32(image * kPrmacRegions);
    float sum = 0.f;
#pragma unroll 7
    for (u32 r = 0; r < kPrmacRegions; ++r)
        sum += maxima[(first + r) % (kMaximaBuffers * kRows) * kPrmacImages + thread % kPrmacImages];
    p.scores[i64(work.query + image) * p.pitch + column] = sum;
}

MIRROR_FN void consume(const ScoreParams& p, const Work& work, const Shared& at) {
    const int group = threadIdx.x / 128 - 1;
    const bool speaker = threadIdx.x % 32 == 0;
    const u32 query = at.query + group * kQueryBytes;
    int base_parity = 0, parity = 0;
    u32 before = 0;  // tiles of earlier database tiles
    for (int tile = blockIdx.x; tile < work.tiles; tile += gridDim.x, base_parity ^= 1, before += u32(work.steps)) {
        for (int t = int(before + u32(group)) & 1; t < work.steps; t += 2, parity ^= 1) {
            float left[kLeft / 2], right[kRight / 2];
#pragma unroll
            for (float& v : left) v = 0.f;
#pragma unroll
            for (float& v : right) v = 0.f;
            gpu::mbar_wait(at.query_full + 8 * group, parity);
            gpu::mbar_wait(at.turn + 8 * group, group == 0 ? parity ^ 1 : parity);  // group 0 has the first
            gpu::sync_warp();  // this warp's reads of maxima lie behind it, and it is converged
            gpu::wgmma_hold(left), gpu::wgmma_hold(right);
            gpu::wgmma_fence();
#pragma unroll
            for (int k = 0; k < kPrmacDim / 16; ++k) {
                // Where no query tile of the database tile before fell to this group, the other one has seen it land
                // before it gave the turn: the parity is this tile's.
                if (k % 4 == 0) gpu::mbar_wait(at.base_full + 8 * (k / 4), base_parity);
                const u32 a = query + k / 4 * kRows * 128 + k % 4 * 32;
                const u32 b = at.base + k / 4 * kPrmacColumns * 128 + k % 4 * 32;
                gpu::Wgmma<f16, kLeft>::mma(left, gpu::wgmma_operand(a), gpu::wgmma_operand(b));
                gpu::Wgmma<f16, kRight>::mma(right, gpu::wgmma_operand(a), gpu::wgmma_operand(b + kLeft * 128));
            }
            gpu::wgmma_commit();
            if (speaker) gpu::mbar_arrive(at.turn + 8 * (group ^ 1));
            gpu::wgmma_hold(left), gpu::wgmma_hold(right);
            gpu::wgmma_wait<0>();
            gpu::wgmma_hold(left), gpu::wgmma_hold(right);
            if (speaker) gpu::mbar_arrive(at.query_gone + 8 * group);

            const u32 count = before + u32(t), buffer = count % kMaximaBuffers;
            write_maxima(left, right, at.maxima + buffer * kRows * kPrmacImages);
            gpu::sync_warp();
            if (speaker) gpu::mbar_arrive(at.maxima_full + 8 * buffer);
            if (threadIdx.x % 128 >= 32) continue;
            if (t > 0) at.wait_maxima(count - 1);
            at.wait_maxima(count);
            write_scores(p, work, tile, t, count, at.maxima);
        }
    }
}

MIRROR_FN void prmac(const ScoreParams& p) {
    const Work work(p);
    if (work.images <= 0) return;
    const Shared at;
    const TensorMap* maps = static_cast<const TensorMap*>(p.maps);
    if (threadIdx.x == 0) at.init_barriers();
    gpu::sync_block();
    if (threadIdx.x < 128) {
        gpu::registers_release<40>();
        if (threadIdx.x == 0) load(work, maps, at);
    } else {
        gpu::registers_take<232>();
        consume(p, work, at);
    }
}

}  // namespace prmac_wgmma

#endif
