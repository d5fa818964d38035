// The instructions of kernels/common/ptx_sm90.cuh on the host: mbarriers, TMA (tiled and im2col,
// 128-byte swizzle), wgmma.
//
// Asynchronous work happens at the latest legal moment, or at issue:
//                    Timing::late              Timing::early
//   TMA load         at a wait on its barrier  at issue
//   TMA store        at its wait               at issue, with seed 0; else at its wait
//   wgmma            at its wait               likewise
// so the four schedules of the tests pair early copies with late products, which shows stages
// released too soon.
//
// What it checks beyond simt_core.hpp: alignment of boxes, operands, barriers and maps; arrivals
// and bytes beyond what a barrier expects; bulk stores nobody commits and waits for; stores of what
// a thread wrote without a proxy fence. It does not know the memory model, nor the limits that the
// driver checks when it encodes a map.
#pragma once
#include <unordered_map>

namespace simt {

struct Map {  // what an emulated TensorMap holds
    enum Kind : int { tiled, im2col } kind;
    const unsigned char* base;
    int64_t dim[4];                   // elements: tiled (c0, c1), im2col (c, w, h, n)
    int64_t pitch[4];                 // bytes from one to the next
    int box[2];                       // tiled (c0, c1), im2col (channels, pixels)
    int lower[2], upper[2], step[2];  // im2col (w, h)
};
static_assert(sizeof(Map) <= sizeof(TensorMap), "an emulated map fits a CUtensorMap");

inline TensorMap encode(const Map& map) {
    TensorMap t{};
    memcpy(t.opaque, &map, sizeof map);
    return t;
}
// As cuTensorMapEncodeTiled and cuTensorMapEncodeIm2col take them, for 16-bit elements;
// stride_bytes and strides[i] lead from one index of dimension i + 1 to the next.
inline TensorMap encode_tiled(
    const void* base, int64_t dim0, int64_t dim1, int64_t stride_bytes, int box0, int box1) {
    return encode({Map::tiled,
                   static_cast<const unsigned char*>(base),
                   {dim0, dim1, 1, 1},
                   {2, stride_bytes, 0, 0},
                   {box0, box1},
                   {},
                   {},
                   {1, 1}});
}
inline TensorMap encode_im2col(const void* base,
                               const uint64_t* dims,
                               const uint64_t* strides,
                               const int* lower,
                               const int* upper,
                               int channels,
                               int pixels,
                               const uint32_t* steps) {
    return encode({Map::im2col,
                   static_cast<const unsigned char*>(base),
                   {int64_t(dims[0]), int64_t(dims[1]), int64_t(dims[2]), int64_t(dims[3])},
                   {2, int64_t(strides[0]), int64_t(strides[1]), int64_t(strides[2])},
                   {channels, pixels},
                   {lower[0], lower[1]},
                   {upper[0], upper[1]},
                   {int(steps[1]), int(steps[2])}});
}

inline u32 swizzle128(u32 addr) {
    return addr ^ (addr >> 7 & 7) << 4;
}

struct Barrier {
    int expected = 0, pending = 0, phase = 0;
    long tx = 0;
    Group sleepers;
    std::vector<std::function<int()>> loads;  // TMA loads in flight; each returns its bytes
};

struct Product {
    void (*execute)(Block&, const Product&);
    u64 a, b;
    float* d[128];
};

struct Warpgroup {
    Group meeting;
    void* slot[128] = {};
    std::vector<Product> open;
    std::vector<std::vector<Product>> groups;
};

struct Hopper {
    std::unordered_map<u32, Barrier> barriers;
    Warpgroup warpgroups[8];
    bool unfenced[1024] = {};  // by thread: wrote shared memory that TMA may read
    std::unordered_map<Fiber*, size_t> committed;  // of its Fiber::stores
    bool waiting = false;                          // inside tma_store_wait_read

    static Hopper& of(Block& b) {
        if (!b.extension) {
            auto h = std::make_shared<Hopper>();
            b.extension = h;
            b.report_extra = [h = h.get()] { return h->report(); };
        }
        return *static_cast<Hopper*>(b.extension.get());
    }
    std::string report() {
        std::string s;
        for (auto& [addr, bar] : barriers)
            if (bar.sleepers.arrived)
                s += std::to_string(bar.sleepers.arrived) + " threads wait on mbarrier " +
                     std::to_string(addr) + " (pending " + std::to_string(bar.pending) +
                     ", bytes " + std::to_string(bar.tx) + "); ";
        return s;
    }
    Barrier& barrier(Block& b, u32 addr) {
        const auto found = barriers.find(addr);
        if (found == barriers.end())
            b.fail("no mbarrier at shared address " + std::to_string(addr));
        return found->second;
    }
    void settle(Block& b, Barrier& bar) {
        if (bar.pending < 0) b.fail("more arrivals than an mbarrier expects");
        if (bar.tx < 0) b.fail("more bytes than an mbarrier expects");
        if (bar.pending || bar.tx) return;
        bar.phase ^= 1, bar.pending = bar.expected;
        b.wake_all(bar.sleepers);
    }
    void land(Block& b, Barrier& bar) {
        auto loads = std::move(bar.loads);
        bar.loads.clear();
        for (auto& l : loads) bar.tx -= l();
        if (!loads.empty()) settle(b, bar);
    }
    template <class Args, class Op>
    void meet(Block& b, Args& args, Op&& op) {
        Warpgroup& g = warpgroups[b.fiber->warp / 4];
        g.slot[b.fiber->warp % 4 * 32 + b.fiber->lane] = &args;
        b.meet(g.meeting, 128, [&] { op(g, reinterpret_cast<Args**>(g.slot)); });
    }
};

// Products and stores of the early schedule; see the top of this file.
inline bool at_issue(const Block& b) {
    return b.options.timing == Timing::early && b.options.seed == 0;
}

inline const Map& map_of(Block& b, const TensorMap* map, Map::Kind kind) {
    if (reinterpret_cast<uintptr_t>(map) % 64) b.fail("a TensorMap that is not 64-byte aligned");
    const Map& m = *reinterpret_cast<const Map*>(map->opaque);
    if (m.kind != kind) b.fail("a TensorMap of the other kind");
    return m;
}
inline void check_box(Block& b, u32 addr) {
    if (addr % 1024)
        b.fail("a TMA box at shared address " + std::to_string(addr) + ", not a multiple of 1024");
}

// `count` elements from column c of a row of `dim`, zeros beyond its ends, to a swizzled box; row
// nullptr: all zeros.
inline void load_row(
    Block& b, u32 dst, const unsigned char* row, int64_t c, int64_t dim, int count) {
    for (int j = 0; j < count; j += 8) {
        uint16_t v[8] = {};
        if (row && c + j >= 0 && c + j + 8 <= dim)
            memcpy(v, row + (c + j) * 2, 16);
        else if (row)
            for (int i = 0; i < 8; ++i)
                if (c + j + i >= 0 && c + j + i < dim) memcpy(&v[i], row + (c + j + i) * 2, 2);
        memcpy(b.at(swizzle128(dst + u32(j) * 2), 16), v, 16);
    }
}

// 16 elements along K of row `row` of a K-major operand.
inline void operand_row(Block& b, u64 desc, int row, uint16_t (&out)[16]) {
    const u32 start = u32(desc & 0x3fff) << 4, stride = u32(desc >> 32 & 0x3fff) << 4;
    if (desc >> 62 != 1) b.fail("a wgmma operand without the 128-byte swizzle");
    if (start & 0x380) b.fail("a wgmma operand that does not start at a multiple of 1024");
    const u32 first = start + u32(row / 8) * stride + u32(row % 8) * 128;
    memcpy(out, b.at(swizzle128(first), 16), 16);
    memcpy(out + 8, b.at(swizzle128(first + 16), 16), 16);
}

template <class T, int N>
void execute(Block& b, const Product& p) {
    static thread_local float fa[64][16], fb[16][N], acc[N];
    for (int r = 0; r < 64; ++r) {
        uint16_t h[16];
        operand_row(b, p.a, r, h);
        Format<T>::widen8(fa[r], h), Format<T>::widen8(fa[r] + 8, h + 8);
    }
    for (int c = 0; c < N; ++c) {
        uint16_t h[16];
        float row[16];
        operand_row(b, p.b, c, h);
        Format<T>::widen8(row, h), Format<T>::widen8(row + 8, h + 8);
        for (int k = 0; k < 16; ++k) fb[k][c] = row[k];
    }
    for (int r = 0; r < 64; ++r) {
        const int lane0 = r / 16 * 32 + r % 8 * 4, e = r % 16 / 8 * 2;  // four lanes hold the row
        for (int c = 0; c < N; c += 2) memcpy(acc + c, p.d[lane0 + c % 8 / 2] + c / 8 * 4 + e, 8);
        for (int k = 0; k < 16; ++k) {
            const float a = fa[r][k];
            for (int c = 0; c < N; ++c) acc[c] += a * fb[k][c];
        }
        for (int c = 0; c < N; c += 2) memcpy(p.d[lane0 + c % 8 / 2] + c / 8 * 4 + e, acc + c, 8);
    }
}

}  // namespace simt

namespace gpu {

using simt::Hopper;

inline void mbar_init(u32 bar, int count) {
    Block& b = *Block::current;
    if (bar % 8) b.fail("an mbarrier that is not 8-byte aligned");
    b.at(bar, 8);
    auto& m = Hopper::of(b).barriers[bar];
    m.expected = m.pending = count;
}
inline void mbar_fence_init() {}
inline void mbar_arrive(u32 bar) {
    Block& b = *Block::current;
    Hopper& h = Hopper::of(b);
    auto& m = h.barrier(b, bar);
    --m.pending;
    h.settle(b, m);
}
inline void mbar_arrive_expect(u32 bar, int bytes) {
    Hopper::of(*Block::current).barrier(*Block::current, bar).tx += bytes;
    mbar_arrive(bar);
}
inline void mbar_wait(u32 bar, int parity) {
    Block& b = *Block::current;
    Hopper& h = Hopper::of(b);
    auto& m = h.barrier(b, bar);
    for (;;) {
        h.land(b, m);
        if (m.phase != parity) return;
        b.sleep(m.sleepers);
    }
}

inline void tma_acquire(const TensorMap*) {}
template <class F>
inline void tma_issue(u32 bar, F&& load) {
    Block& b = *Block::current;
    Hopper& h = Hopper::of(b);
    auto& m = h.barrier(b, bar);
    m.loads.push_back(load);
    if (b.options.timing == simt::Timing::early || m.sleepers.arrived) h.land(b, m);
}
inline void tma_load_2d(u32 dst, const TensorMap* map, u32 bar, int c0, int c1) {
    Block& b = *Block::current;
    simt::check_box(b, dst);
    tma_issue(bar, [&b, dst, &m = simt::map_of(b, map, simt::Map::tiled), c0, c1] {
        for (int i = 0; i < m.box[1]; ++i) {
            const int64_t y = int64_t(c1) + i;
            const unsigned char* row = y >= 0 && y < m.dim[1] ? m.base + y * m.pitch[1] : nullptr;
            simt::load_row(b, dst + u32(i * m.box[0]) * 2, row, c0, m.dim[0], m.box[0]);
        }
        return m.box[0] * m.box[1] * 2;
    });
}
inline void tma_load_im2col(
    u32 dst, const TensorMap* map, u32 bar, int c, int w, int h, int n, int s, int r) {
    Block& b = *Block::current;
    simt::check_box(b, dst);
    tma_issue(
        bar, [&b, dst, &m = simt::map_of(b, map, simt::Map::im2col), c, w, h, n, s, r]() mutable {
            for (int i = 0; i < m.box[1]; ++i) {
                const int64_t x = w + s, y = h + r;
                const bool inside =
                    x >= 0 && x < m.dim[1] && y >= 0 && y < m.dim[2] && n < m.dim[3];
                const unsigned char* row =
                    inside ? m.base + n * m.pitch[3] + y * m.pitch[2] + x * m.pitch[1] : nullptr;
                simt::load_row(b, dst + u32(i * m.box[0]) * 2, row, c, m.dim[0], m.box[0]);
                if ((w += m.step[0]) > m.dim[1] - 1 + m.upper[0]) {
                    w = m.lower[0];
                    if ((h += m.step[1]) > m.dim[2] - 1 + m.upper[1]) h = m.lower[1], ++n;
                }
            }
            return m.box[0] * m.box[1] * 2;
        });
}
inline void tma_store_2d(const TensorMap* map, u32 src, int c0, int c1) {
    Block& b = *Block::current;
    Hopper& hopper = Hopper::of(b);
    simt::check_box(b, src);
    for (int t = 0; t < 128; ++t)
        if (hopper.unfenced[threadIdx.x / 128 * 128 + t])
            b.fail("a TMA store of what thread " + std::to_string(threadIdx.x / 128 * 128 + t) +
                   " wrote without fence_async_proxy");
    auto store = [&b, &m = simt::map_of(b, map, simt::Map::tiled), src, c0, c1] {
        for (int64_t i = 0; i < m.box[1] && c1 + i < m.dim[1]; ++i)
            for (int64_t j = 0; j < m.box[0] && c0 + j < m.dim[0]; ++j)
                memcpy(const_cast<unsigned char*>(m.base) + (c1 + i) * m.pitch[1] + (c0 + j) * 2,
                       b.at(simt::swizzle128(src + u32(i * m.box[0] + j) * 2), 2),
                       2);
    };
    const bool now = simt::at_issue(b);
    if (now) store();
    b.fiber->stores.push_back([&b, &hopper, store, now] {
        if (!hopper.waiting) b.fail("a thread ended before its bulk stores had read shared memory");
        if (!now) store();
    });
}
inline void tma_store_commit() {
    Block& b = *Block::current;
    Hopper::of(b).committed[b.fiber] = b.fiber->stores.size();
}
inline void tma_store_wait_read() {
    Block& b = *Block::current;
    Hopper& h = Hopper::of(b);
    auto& stores = b.fiber->stores;
    const auto end = stores.begin() + std::ptrdiff_t(std::exchange(h.committed[b.fiber], 0));
    h.waiting = true;
    for (auto s = stores.begin(); s != end; ++s) (*s)();
    h.waiting = false;
    stores.erase(stores.begin(), end);
}
inline void fence_async_proxy() {
    Hopper::of(*Block::current).unfenced[threadIdx.x] = false;
}

inline u64 wgmma_operand(u32 addr) {
    return u64((addr & 0x3ffff) >> 4) | u64(1) << 16 | u64(1024 >> 4) << 32 | u64(1) << 62;
}
inline void wgmma_fence() {}
template <int R>
inline void wgmma_hold(float (&)[R]) {}
template <class T, int N>
struct Wgmma {
    static void mma(float (&d)[N / 2], u64 a, u64 b) {
        struct Args {
            float* d;
            u64 a, b;
        } args{d, a, b};
        Hopper::of(*Block::current)
            .meet(*Block::current, args, [](simt::Warpgroup& g, Args** lane) {
                simt::Product p{&simt::execute<T, N>, lane[0]->a, lane[0]->b, {}};
                for (int i = 0; i < 128; ++i) p.d[i] = lane[i]->d;
                if (simt::at_issue(*Block::current))
                    p.execute(*Block::current, p);
                else
                    g.open.push_back(p);
            });
    }
};
inline void wgmma_commit() {
    int none = 0;
    Hopper::of(*Block::current).meet(*Block::current, none, [](simt::Warpgroup& g, int**) {
        g.groups.push_back(std::move(g.open)), g.open.clear();
    });
}
template <int Pending>
inline void wgmma_wait() {
    int none = 0;
    Hopper::of(*Block::current).meet(*Block::current, none, [](simt::Warpgroup& g, int**) {
        while (int(g.groups.size()) > Pending) {
            for (auto& p : g.groups.front()) p.execute(*Block::current, p);
            g.groups.erase(g.groups.begin());
        }
    });
}
inline void stmatrix_x4(u32 row_addr, const u32 (&r)[4]) {
    struct Args {
        const u32* r;
        u32 addr;
    } args{r, row_addr};
    Hopper::of(*Block::current).unfenced[threadIdx.x] = true;
    Block::current->meet_warp(args, [](Args** lane) {
        for (int m = 0; m < 4; ++m)
            for (int row = 0; row < 8; ++row) {
                u32 words[4];
                for (int i = 0; i < 4; ++i) words[i] = lane[row * 4 + i]->r[m];
                memcpy(Block::current->at(lane[m * 8 + row]->addr, 16), words, 16);
            }
    });
}
template <int R>
inline void registers_release() {}
template <int R>
inline void registers_take() {}

}  // namespace gpu
