// Runs the CUDA kernels of Mirror on the host, unchanged, for tests without a GPU. This file is the
// machine: threads, blocks, launches; simt.hpp holds the instructions.
//
// One GPU thread is one fiber (own stack, cooperative).  Fibers of a block share one OS thread, so
// there are no data races on the host side and every run is reproducible.  A collective (barrier,
// shuffle, ldmatrix, mma, ...) is a rendezvous: each fiber leaves its operands and parks; the last
// one to arrive performs the operation for the whole group and wakes the others.
//
// What it checks beyond the arithmetic
//   * shared memory starts as NaN, so a read before a write shows in the result
//   * cp.async lands as late as the wait allows, so a missing wait reads NaN      (Timing::late)
//     or as early as possible, so overwriting a live stage shows                   (Timing::early)
//   * a barrier that not everyone reaches ends the run with a report instead of a hang
//   * shared addresses out of range end the run; so do writes just past shared memory or a thread's
//   stack
//   * the order in which fibers run is shuffled by `seed`: results must not depend on it
#pragma once
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#define MIRROR_FN inline __attribute__((always_inline))
#define __global__
#define __device__
#define __launch_bounds__(...)

struct dim3 {
    unsigned x = 1, y = 1, z = 1;
};
struct float2 {
    float x, y;
};
struct alignas(16) float4 {
    float x, y, z, w;
};
struct alignas(16) uint4 {
    unsigned x, y, z, w;
};

inline thread_local dim3 threadIdx, blockIdx, blockDim, gridDim;

// ---- context switch: six callee-saved registers and the stack pointer
// ------------------------------
#if defined(__x86_64__)
extern "C" void simt_switch(void** save, void* load);
asm(R"(
.text
.weak simt_switch
.type simt_switch, @function
simt_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq  %rsp, (%rdi)
    movq  %rsi, %rsp
    popq  %r15
    popq  %r14
    popq  %r13
    popq  %r12
    popq  %rbx
    popq  %rbp
    ret
.size simt_switch, . - simt_switch
)");
#else
#error "simt.hpp: add the context switch of this processor (aarch64: x19-x30, d8-d15, sp)"
#endif

namespace simt {

enum class Timing { late, early };
struct Options {
    Timing timing = Timing::late;
    unsigned seed = 0;  // 0: fibers and blocks start in order
    size_t stack_bytes = 128 << 10;
    int workers = 1;  // OS threads that run blocks
};

struct Copy {
    uint32_t dst;
    const void* src;
    int bytes;
};

struct Fiber {
    void* sp = nullptr;
    Fiber *next = nullptr,
          *prev = nullptr;  // ring of runnable fibers, or list of a group's sleepers
    dim3 thread;
    int lane = 0, warp = 0;
    std::vector<Copy> open;                     // cp.async since the last commit
    std::vector<std::vector<Copy>> groups;      // committed, not yet landed
    std::vector<std::function<void()>> stores;  // bulk stores, not yet read from shared memory
    void flush_stores() {
        for (auto& s : stores) s();
        stores.clear();
    }
};

struct Group {  // one rendezvous point
    const char* name = "";
    int arrived = 0;
    Fiber* sleepers = nullptr;
    void* slot[32] = {};  // operands of a warp collective, by lane
};

class Block {
  public:
    static inline thread_local Block* current = nullptr;

    Block(int threads, size_t smem_bytes, const Options& o)
        : options(o),
          smem(smem_bytes),
          memory(new unsigned char[smem_bytes + 1024 + kGuard]),
          stacks(new unsigned char[size_t(threads) * o.stack_bytes]),
          fibers(threads),
          warps((threads + 31) / 32) {
        base = reinterpret_cast<unsigned char*>((reinterpret_cast<uintptr_t>(memory.get()) + 1023) &
                                                ~uintptr_t(1023));
        for (auto& w : warps) w.name = "warp collective";
        whole.name = "__syncthreads";
        for (auto& g : named) g.name = "named barrier";
    }

    void run(dim3 index, dim3 grid, dim3 dim, const std::function<void()>& kernel) {
        current = this, body = &kernel;
        blockIdx = index, gridDim = grid, blockDim = dim;
        memset(base, 0xff, smem);  // NaN in fp16, bf16 and fp32
        memset(base + smem, kFill, kGuard);
        extension.reset(), report_extra = nullptr;
        ring = nullptr, live = int(fibers.size());
        std::vector<int> order(fibers.size());
        for (int i = 0; i < live; ++i) order[i] = i;
        for (unsigned r = options.seed * 2654435761u + index.x, i = live - 1; options.seed && i > 0;
             --i)
            std::swap(order[i], order[(r = r * 1664525u + 1013904223u) % (i + 1)]);
        for (int t : order) start(t);
        fiber = ring, threadIdx = fiber->thread;
        simt_switch(&host_sp, fiber->sp);
        current = nullptr;
        if (!error.empty()) throw std::runtime_error(error);
        if (live) throw std::runtime_error(deadlock());
        for (size_t i = 0; i < kGuard; ++i)
            if (base[smem + i] != kFill)
                throw std::runtime_error("a write past shared memory of " + std::to_string(smem) +
                                         " bytes" + where());
        for (size_t t = 0; t < fibers.size(); ++t)
            if (stacks[t * options.stack_bytes] != kFill)
                throw std::runtime_error("stack overflow of thread " + std::to_string(t) + where());
    }

    // The calling fiber joins `g`; the last of `expected` runs `op`, then all continue.
    template <class Op>
    void meet(Group& g, int expected, Op&& op) {
        if (++g.arrived < expected) return park(g);
        g.arrived = 0;
        op();
        wake(g);
    }

    void sleep(Group& g) { ++g.arrived, park(g); }  // until somebody calls wake_all
    void wake_all(Group& g) { g.arrived = 0, wake(g); }

    template <class Args, class Op>
    void meet_warp(Args& args, Op&& op) {
        Group& g = warps[fiber->warp];
        g.slot[fiber->lane] = &args;
        meet(g, 32, [&] { op(reinterpret_cast<Args**>(g.slot)); });
    }

    unsigned char* at(uint32_t addr, int bytes) {
        if (uint64_t(addr) + uint64_t(bytes) > smem)
            fail("shared address " + std::to_string(addr) + " + " + std::to_string(bytes) + " of " +
                 std::to_string(smem));
        return base + addr;
    }

    void land(const Copy& c) {
        if (c.src)
            memcpy(at(c.dst, c.bytes), c.src, c.bytes);
        else
            memset(at(c.dst, c.bytes), 0, c.bytes);
    }

    [[noreturn]] void fail(const std::string& what) {
        error = what + where() + ", thread " + std::to_string(threadIdx.x);
        simt_switch(&fiber->sp, host_sp);
        abort();
    }

    Options options;
    size_t smem;
    unsigned char* base = nullptr;
    Fiber* fiber = nullptr;
    Group whole, named[16];
    uint64_t switches = 0;

  private:
    std::unique_ptr<unsigned char[]> memory, stacks;
    std::vector<Fiber> fibers;

  public:
    std::vector<Group> warps;
    std::shared_ptr<void> extension;  // state of simt_sm90.hpp
    std::function<std::string()> report_extra;

  private:
    static constexpr size_t kGuard = 256;
    static constexpr unsigned char kFill = 0xA5;
    static std::string where() {
        return " in block (" + std::to_string(blockIdx.x) + ", " + std::to_string(blockIdx.y) +
               ", " + std::to_string(blockIdx.z) + ")";
    }

    Fiber* ring = nullptr;
    const std::function<void()>* body = nullptr;
    void* host_sp = nullptr;
    int live = 0;
    std::string error;

    void push_ring(Fiber* f) {  // behind the last runnable fiber
        if (!ring) {
            ring = f->next = f->prev = f;
            return;
        }
        f->next = ring, f->prev = ring->prev;
        ring->prev->next = f, ring->prev = f;
    }
    void leave_ring(Fiber* f) {
        if (f->next == f) {
            ring = nullptr;
            return;
        }
        f->prev->next = f->next, f->next->prev = f->prev;
        if (ring == f) ring = f->next;
    }
    void go(Fiber* to) {
        Fiber* from = fiber;
        fiber = to, threadIdx = to->thread, ++switches;
        simt_switch(&from->sp, to->sp);
    }
    void park(Group& g) {
        Fiber *self = fiber, *to = self->next;
        leave_ring(self);
        self->next = g.sleepers, g.sleepers = self;
        if (!ring)
            simt_switch(&self->sp, host_sp);  // nobody can run: deadlock, reported by run()
        else
            go(to);
    }
    void wake(Group& g) {  // insert before the caller, keeping arrival order
        for (Fiber* f = std::exchange(g.sleepers, nullptr); f;) {
            Fiber* rest = f->next;
            Fiber* after = fiber->next;        // sleepers are newest first: inserting each right
            fiber->next = f, f->prev = fiber;  // behind the caller restores oldest first
            f->next = after, after->prev = f;
            f = rest;
        }
    }
    void start(int t) {
        Fiber& f = fibers[t];
        f.thread = {unsigned(t) % blockDim.x,
                    unsigned(t) / blockDim.x % blockDim.y,
                    unsigned(t) / blockDim.x / blockDim.y};
        f.lane = t % 32, f.warp = t / 32;
        f.open.clear(), f.groups.clear(), f.stores.clear();
        stacks[size_t(t) * options.stack_bytes] = kFill;
        auto** top = reinterpret_cast<void**>(stacks.get() + size_t(t + 1) * options.stack_bytes);
        top = reinterpret_cast<void**>(reinterpret_cast<uintptr_t>(top) & ~uintptr_t(63));
        *--top = nullptr;  // alignment: entry sees rsp % 16 == 8
        *--top = reinterpret_cast<void*>(&entry);
        f.sp = top - 6;
        push_ring(&f);
    }
    static void entry() {
        Block& b = *current;
        (*b.body)();
        Fiber* self = b.fiber;
        self->flush_stores();
        Fiber* to = self->next;
        b.leave_ring(self);
        --b.live;
        if (b.ring)
            b.go(to);
        else
            simt_switch(&self->sp, b.host_sp);
        abort();  // a finished fiber is never resumed
    }
    std::string deadlock() {
        std::string s = "deadlock" + where() + ": ";
        auto add = [&](Group& g, int i) {
            if (g.arrived)
                s += std::to_string(g.arrived) + " threads wait at " + g.name +
                     (i < 0 ? "" : " " + std::to_string(i)) + "; ";
        };
        add(whole, -1);
        for (int i = 0; i < 16; ++i) add(named[i], i);
        for (size_t i = 0; i < warps.size(); ++i) add(warps[i], int(i));
        return s + (report_extra ? report_extra() : "");
    }
};

struct Stats {
    uint64_t switches = 0;
};

// Runs every block of the grid; blocks share nothing but global memory, so workers may take them in
// any order. Throws std::runtime_error with the first failure.
template <class Kernel>
Stats launch(dim3 grid, dim3 block, size_t smem_bytes, Kernel&& kernel, const Options& o = {}) {
    const std::function<void()> body(kernel);
    const uint64_t blocks = uint64_t(grid.x) * grid.y * grid.z;
    // An odd multiplier that shares no factor with `blocks` visits each block once.
    uint64_t step = 1;
    if (o.seed && blocks > 1)
        for (step = o.seed * 2654435761u % blocks; std::gcd(step, blocks) != 1;)
            step = (step + 1) % blocks;
    std::atomic<uint64_t> next{0}, switches{0};
    std::atomic<bool> failed{false};
    std::string error;
    auto work = [&] {
        Block b(int(block.x * block.y * block.z), smem_bytes, o);
        try {
            for (uint64_t i; !failed && (i = next++) < blocks;) {
                const uint64_t at = uint64_t((unsigned __int128)(i)*step % blocks);
                b.run({unsigned(at % grid.x),
                       unsigned(at / grid.x % grid.y),
                       unsigned(at / grid.x / grid.y)},
                      grid,
                      block,
                      body);
            }
        } catch (const std::exception& e) {
            if (!failed.exchange(true)) error = e.what();
        }
        switches += b.switches;
    };
    std::vector<std::thread> others;
    for (int i = 1; i < o.workers && uint64_t(i) < blocks; ++i) others.emplace_back(work);
    work();
    for (auto& t : others) t.join();
    if (failed) throw std::runtime_error(error);
    return {switches};
}

}  // namespace simt
