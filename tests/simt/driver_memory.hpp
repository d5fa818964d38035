// Device and pinned memory of the emulated driver: every allocation is known, surrounded by guard
// words and filled with NaN, so that a copy or kernel that leaves its buffer or reads what nobody
// wrote does not pass unnoticed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <new>
#include <string>

namespace simt_driver {

class Memory {
  public:
    enum Kind { pageable, pinned, device };

    // On a GPU (kind device), where nullptr says that its limit is exceeded.
    void* allocate(size_t bytes, Kind kind, int ordinal, uint64_t limit) {
        if (kind == device && used(ordinal) + bytes > limit) return nullptr;
        auto* raw = static_cast<unsigned char*>(
            std::aligned_alloc(kAlign, (bytes + 2 * kGuard + kAlign - 1) / kAlign * kAlign));
        if (!raw) return nullptr;
        std::memset(raw, kFill, kGuard);
        std::memset(raw + kGuard, 0xff, bytes);
        std::memset(raw + kGuard + bytes, kFill, kGuard);
        blocks_[reinterpret_cast<uintptr_t>(raw + kGuard)] = {bytes, kind, ordinal};
        if (kind == device) used_[ordinal] += bytes;
        return raw + kGuard;
    }

    // "" or what is wrong with the block.
    std::string release(void* p) {
        const auto found = blocks_.find(reinterpret_cast<uintptr_t>(p));
        if (found == blocks_.end()) return "freeing what was not allocated";
        const std::string damage = check(found->first, found->second.bytes);
        if (found->second.kind == device) used_[found->second.ordinal] -= found->second.bytes;
        std::free(static_cast<unsigned char*>(p) - kGuard);
        blocks_.erase(found);
        return damage;
    }

    std::string check_all() const {
        for (const auto& [address, block] : blocks_)
            if (std::string damage = check(address, block.bytes); !damage.empty()) return damage;
        return "";
    }

    Kind kind(const void* p) const {
        const Block* block = find(p, 0);
        return block ? block->kind : pageable;
    }
    // The GPU whose context allocated the block; kind(p) is not pageable.
    int ordinal(const void* p) const { return find(p, 0)->ordinal; }
    // Whether [p, p + bytes) leaves the block that p lies in.
    bool overruns(const void* p, size_t bytes) const {
        const auto at = reinterpret_cast<uintptr_t>(p);
        auto next = blocks_.upper_bound(at);
        if (next == blocks_.begin()) return false;
        --next;
        return at < next->first + next->second.bytes &&
               at + bytes > next->first + next->second.bytes;
    }
    uint64_t used(int ordinal) const {
        const auto found = used_.find(ordinal);
        return found == used_.end() ? 0 : found->second;
    }
    uint64_t most_used() const {
        uint64_t most = 0;
        for (const auto& [ordinal, bytes] : used_) most = std::max(most, bytes);
        return most;
    }
    size_t live() const { return blocks_.size(); }

  private:
    struct Block {
        size_t bytes;
        Kind kind;
        int ordinal;
    };
    static constexpr size_t kAlign = 512, kGuard = 1024;
    static constexpr unsigned char kFill = 0xA5;

    const Block* find(const void* p, size_t bytes) const {
        const auto at = reinterpret_cast<uintptr_t>(p);
        auto next = blocks_.upper_bound(at);
        if (next == blocks_.begin()) return nullptr;
        --next;
        return at + bytes < next->first + next->second.bytes ? &next->second : nullptr;
    }
    static std::string check(uintptr_t address, size_t bytes) {
        const auto* p = reinterpret_cast<const unsigned char*>(address);
        for (size_t i = 0; i < kGuard; ++i)
            if (p[bytes + i] != kFill || *(p - 1 - i) != kFill)
                return "a write outside a buffer of " + std::to_string(bytes) + " bytes";
        return "";
    }

    std::map<uintptr_t, Block> blocks_;
    std::map<int, uint64_t> used_;
};

}  // namespace simt_driver
