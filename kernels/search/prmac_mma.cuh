// PR-MAC similarity, fused, on mma.sync (sm_80 and later), for 35 regions of 256 dimensions in f16.
//
//     score(i, j) = sum over regions r of q_i of (max over regions t of d_j of <q_i,r , d_j,t>)
//
// Contract: ScoreParams with similarity 0, metric 0. The product of all regions is never stored: in registers a row of
// it shrinks to one maximum per database image, and in shared memory the 35 rows of a query image are added.
//
//                 database tile: 8 images x 35 = 280 columns, K slices of 32 through a ring
//                 | 0 | 1 | 2 | 3 |  4  | 5 | 6 | 7 |
//     32 rows     |   warp 0: 144   | warp 1: 136   |     query tile BM x 256 stays in shared memory for all the
//     32 rows     |   warp 2        | warp 3        |     database tiles of the block; image 4 has a column of
//     ...                                                 maxima from either side
//
// 35 does not divide BM, so query images straddle row tiles. A block owns whole query images (CHUNK of them) and walks
// their row tiles in order, each along its strip of database tiles. The sum of an image that a row tile cuts waits in
// `carry`, one float per database image of the strip, and the next row tile goes on adding to it. So each score is
// written once, by one thread, without atomics or zeroing, and is the sum in the order of r: the same bits for every
// tile size, strip length and neighbourhood. The price is the last row tile's padding, 1.6% for a full chunk.
//
// `carry` is double: row tile t writes side t % 2 while other threads read what t - 1 left in the other.
//
// Floor: 2 * 35^2 * 256 FLOP per score. DRAM: the database once per wave of blocks; L2: 143 KB per BM x 280 products.
#pragma once
#include "common/params.h"
#include "common/ptx.cuh"
#include "search/prmac_launch.h"

namespace prmac_mma {

// Maximum over columns [BEGIN, END) of the row of accumulators this thread has in TILES n8 fragments from column FIRST;
// acc[j * 4 + half * 2 + e] is column FIRST + j * 8 + lane % 4 * 2 + e. All four lanes of the row get the result.
template <int FIRST, int TILES, int BEGIN, int END>
MIRROR_FN float segment_max(const float* acc, int half, int lane) {
    const float lowest = gpu::bits_float(0xff800000u);  // -infinity
    float best = lowest;
#pragma unroll
    for (int j = 0; j < TILES; ++j) {
        const int lo = FIRST + j * 8, hi = lo + 8;
        if (hi <= BEGIN || lo >= END) continue;
#pragma unroll
        for (int e = 0; e < 2; ++e) {
            float v = acc[j * 4 + half * 2 + e];
            if (lo < BEGIN || hi > END) {  // the fragment holds columns of two images
                const int col = lo + lane % 4 * 2 + e;
                v = col >= BEGIN && col < END ? v : lowest;
            }
            best = gpu::max_f32(best, v);
        }
    }
    best = gpu::max_f32(best, gpu::shfl_xor(best, 1));
    return gpu::max_f32(best, gpu::shfl_xor(best, 2));
}

// Fetches BM region vectors from row `first` on, zeros from row `rows` on: 32 vectors each, swizzled by row.
template <class Tile>
MIRROR_FN void load_queries(const ScoreParams& p, u32 dst, long long first, int rows) {
    for (int i = gpu::opaque(int(threadIdx.x)); i < Tile::BM * 32; i += Tile::THREADS) {
        const int row = i / 32, v = i % 32;
        const u8* src = static_cast<const u8*>(p.q) + ((first + row) * 32 + v) * 16;
        gpu::cp_async_16(dst + row * 512 + ((v ^ (row & 7)) << 4), src, row < rows);
    }
    gpu::cp_async_commit();
}

// A warp's accumulators -> maxima of its 32 rows, best[column][row]: images 0-4 from side 0, images 4-7 from side 1.
template <class Tile>
MIRROR_FN void write_maxima(const float (&acc)[2][72], float* best, int side, int lane) {
#pragma unroll
    for (int i = 0; i < 2; ++i)
#pragma unroll
        for (int h = 0; h < 2; ++h) {
            const auto put = [&](int column, float v) {
                if (lane % 4 == column % 4) best[column * Tile::BEST_PITCH + i * 16 + h * 8 + lane / 4] = v;
            };
            if (side == 0) {
                put(0, segment_max<0, 18, 0, 35>(acc[i], h, lane));
                put(1, segment_max<0, 18, 35, 70>(acc[i], h, lane));
                put(2, segment_max<0, 18, 70, 105>(acc[i], h, lane));
                put(3, segment_max<0, 18, 105, 140>(acc[i], h, lane));
                put(4, segment_max<0, 18, 140, 144>(acc[i], h, lane));
            } else {
                put(5, segment_max<144, 17, 144, 175>(acc[i], h, lane));
                put(6, segment_max<144, 17, 175, 210>(acc[i], h, lane));
                put(7, segment_max<144, 17, 210, 245>(acc[i], h, lane));
                put(8, segment_max<144, 17, 245, 280>(acc[i], h, lane));
            }
        }
}

// Adds the rows of each query image in best[column][row] of row tile `t` and database images image .. image + 7.
// `images` query images from `query` on are the block's; `slot` is the database tile's place in the strip.
template <class Tile>
MIRROR_FN void add_rows(const ScoreParams& p,
                        const float* best,
                        float* carry,
                        long long query,
                        int images,
                        int t,
                        long long image,
                        int slot) {
    constexpr int R = kPrmacRegions, SIDE = Tile::TILES * kPrmacImages;
    const int m0 = t * Tile::BM, first = m0 / R, count = (m0 + Tile::BM - 1) / R - first + 1;
    for (int i = gpu::opaque(int(threadIdx.x)); i < count * kPrmacImages; i += Tile::THREADS) {
        const int q = first + i / kPrmacImages, d = i % kPrmacImages, at = slot * kPrmacImages + d;
        const int begin = q * R > m0 ? q * R - m0 : 0, end = (q + 1) * R - m0 < Tile::BM ? (q + 1) * R - m0 : Tile::BM;
        const float* left = best + (d > 4 ? d + 1 : d) * Tile::BEST_PITCH;
        const float* right = d == 4 ? left + Tile::BEST_PITCH : left;
        float sum = q * R < m0 ? carry[(t + 1) % 2 * SIDE + at] : 0.f;
        for (int r = begin; r < end; r += 5) {  // five loads in flight, added in order; BEST_PITCH covers the overhang
            float v[5];
#pragma unroll
            for (int e = 0; e < 5; ++e) v[e] = gpu::max_f32(left[r + e], right[r + e]);
#pragma unroll
            for (int e = 0; e < 5; ++e) sum = r + e < end ? sum + v[e] : sum;
        }
        if ((q + 1) * R > m0 + Tile::BM)
            carry[t % 2 * SIDE + at] = sum;
        else if (q < images && image + d < p.nd)
            p.scores[(query + q) * p.pitch + image + d] = sum;
    }
}

template <class Tile>
MIRROR_FN void scores(const ScoreParams& p) {
    constexpr int BM = Tile::BM, IMAGES = kPrmacImages, ROW = kPrmacDim * 2;  // bytes of a region vector
    u8* shared = gpu::dynamic_smem();
    const u32 a = gpu::smem_addr(shared), ring = a + Tile::RING;
    float* best = reinterpret_cast<float*>(shared + Tile::BEST);
    float* carry = reinterpret_cast<float*>(shared + Tile::CARRY);
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, strip_row = warp / 2 * 32, side = warp % 2;

    const long long query = 1ll * blockIdx.x * Tile::CHUNK;
    const int images = p.nq - query < Tile::CHUNK ? int(p.nq - query) : Tile::CHUNK;
    const int query_rows = images * kPrmacRegions, row_tiles = (query_rows + BM - 1) / BM;
    const long long all_tiles = (p.nd + IMAGES - 1) / IMAGES, strip = (all_tiles + gridDim.y - 1) / gridDim.y;
    const long long first = strip * blockIdx.y;
    const int tiles = int(all_tiles - first < strip ? all_tiles - first : strip);
    if (tiles <= 0) return;

    // A thread fetches the same vector of every STEP-th row of a slice. Slices go through the strip once for every row
    // tile; `next` is the next one's place in the strip.
    constexpr int STEP = Tile::THREADS / 4;
    const int row = threadIdx.x / 4, vec = threadIdx.x % 4;
    const u8* src = static_cast<const u8*>(p.d) + (first * kPrmacColumns + row) * ROW + vec * 16;
    const long long strip_rows = p.nd * kPrmacRegions - first * kPrmacColumns;
    const int rows = (strip_rows < tiles * kPrmacColumns ? int(strip_rows) : tiles * kPrmacColumns) - row;
    const int dst = row * 64 + ((vec ^ (row >> 1 & 3)) << 4);
    int next = 0, to_fetch = row_tiles * tiles * Tile::SLICES;
    u32 fetch_stage = ring;
    auto fetch = [&] {
        if (to_fetch-- > 0) {
            const int row0 = next / Tile::SLICES * kPrmacColumns;
            const u8* slice = src + row0 * ROW + next % Tile::SLICES * (Tile::BK * 2);
#pragma unroll
            for (int i = 0; i < kPrmacColumns; i += STEP)
                if (i + STEP <= kPrmacColumns || i + row < kPrmacColumns)
                    gpu::cp_async_16(fetch_stage + dst + i * 64, slice + i * ROW, row0 + i < rows);
            if (++next == tiles * Tile::SLICES) next = 0;
            fetch_stage += Tile::STAGE_BYTES;
            if (fetch_stage == ring + Tile::STAGES * Tile::STAGE_BYTES) fetch_stage = ring;
        }
        gpu::cp_async_commit();
    };
    for (int i = 0; i < Tile::STAGES - 1; ++i) fetch();

    // This lane's ldmatrix rows at the first 16 of K; XOR with 2 bytes times K gives the others. The last block of
    // side 1 is half a block: lanes of its second half read the first again, into accumulators nobody uses.
    const int row_a = strip_row + lane % 16, row_b = side * 144 + lane % 8 + lane / 16 * 8;
    const u32 at_a = a + row_a * ROW + (((lane / 16) ^ (row_a & 7)) << 4);
    const int at_b = row_b * 64 + (((lane / 8 % 2) ^ (row_b >> 1 & 3)) << 4);
    const int last_b = at_b + (side == 1 && lane >= 16 ? 120 : 128) * 64;

    u32 stage = ring;
    for (int t = 0; t < row_tiles; ++t) {
        load_queries<Tile>(p, a, query * kPrmacRegions + t * BM, query_rows - t * BM);
        gpu::cp_async_wait<0>();  // the barrier of the first slice shows it to everyone

        for (int tile = 0; tile < tiles; ++tile) {
            float acc[2][72];  // two m16 blocks, eighteen n8 blocks (seventeen on side 1)
#pragma unroll
            for (int i = 0; i < 72; ++i) acc[0][i] = acc[1][i] = 0.f;
            for (int slice = 0; slice < Tile::SLICES; ++slice) {
                gpu::cp_async_wait<Tile::STAGES - 2>();
                gpu::sync_block();
                fetch();
                // Behind that barrier the previous tile's maxima are complete; one or two warps add them up while the
                // others multiply. They are done before the next slice's barrier, long before `best` is written again.
                if (slice == 0 && tile > 0)
                    add_rows<Tile>(p, best, carry, query, images, t, (first + tile - 1) * IMAGES, tile - 1);
#pragma unroll
                for (int kk = 0; kk < Tile::BK / 16; ++kk) {
                    u32 fa[2][4];
#pragma unroll
                    for (int i = 0; i < 2; ++i)
                        gpu::ldmatrix_x4(fa[i], (at_a ^ (slice * 64 + kk * 32)) + i * 16 * ROW);
#pragma unroll
                    for (int j = 0; j < 9; ++j) {
                        u32 fb[4];
                        const u32 from = (stage + (j < 8 ? at_b : last_b)) ^ (kk * 32);
                        gpu::ldmatrix_x4(fb, j < 8 ? from + j * 16 * 64 : from);
#pragma unroll
                        for (int i = 0; i < 2; ++i) {
                            float(&left)[4] = *reinterpret_cast<float(*)[4]>(&acc[i][j * 8]);
                            float(&right)[4] = *reinterpret_cast<float(*)[4]>(&acc[i][j * 8 + 4]);
                            gpu::mma_m16n8k16<f16>(left, fa[i], fb[0], fb[1]);
                            gpu::mma_m16n8k16<f16>(right, fa[i], fb[2], fb[3]);
                        }
                    }
                }
                stage += Tile::STAGE_BYTES;
                if (stage == ring + Tile::STAGES * Tile::STAGE_BYTES) stage = ring;
            }
            write_maxima<Tile>(acc, best + strip_row, side, gpu::opaque(lane));
        }
        gpu::sync_block();  // the last maxima are complete, and the query tile may be overwritten
        add_rows<Tile>(p, best, carry, query, images, t, (first + tiles - 1) * IMAGES, tiles - 1);
    }
}

}  // namespace prmac_mma
