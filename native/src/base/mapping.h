// A whole file mapped read-only into memory. Move-only; unmapped by the destructor. Paths are
// UTF-8. A file that another process shortens while it is mapped faults on access: no check can
// prevent it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>

namespace mirror {

class FileMapping {
  public:
    // NOT_FOUND or IO naming the path and the system's reason.
    static FileMapping open(const std::string& path);

    FileMapping(FileMapping&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
    FileMapping& operator=(FileMapping&& other) noexcept {
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~FileMapping();

    std::span<const std::byte> bytes() const { return bytes_; }

  private:
    explicit FileMapping(std::span<const std::byte> bytes) : bytes_(bytes) {}

    std::span<const std::byte> bytes_;  // empty files are not mapped
};

}  // namespace mirror
