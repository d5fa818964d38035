// safetensors files: a length, a JSON header, then raw little-endian tensors back to back. The
// reader maps the file and trusts nothing in it: every range is checked against dtype * shape and
// the file before anything is allocated. Tensors are copied out, because the format does not align
// them.
#pragma once

#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/error.h"
#include "base/mapping.h"

namespace mirror {

struct Tensor {
    std::string name;
    std::string dtype;           // as the format writes it: "F32", "F64", "I64", ...
    std::vector<int64_t> shape;  // empty: a scalar
    std::span<const std::byte> bytes;

    int64_t elements() const;  // product of shape; known not to overflow
};

// "[7, 7, 3, 64]"
std::string shape_text(std::span<const int64_t> shape);

class SafeTensors {
  public:
    static constexpr uint64_t max_header_bytes = 100'000'000;

    // NOT_FOUND, IO, or FORMAT naming the file, the tensor and both values.
    static SafeTensors open(const std::string& path);

    const std::string& path() const { return path_; }
    // In byte order of their names.
    const std::vector<Tensor>& tensors() const { return tensors_; }
    const std::map<std::string, std::string>& metadata() const { return metadata_; }
    // The metadata entry, or empty where there is none.
    std::string metadata(const std::string& key) const;

    const Tensor* find(std::string_view name) const;
    // NOT_FOUND naming file and tensor where there is none.
    const Tensor& at(std::string_view name) const;

    // The values of a tensor of T = float ("F32") or double ("F64"); FORMAT where it has another
    // dtype.
    template <class T>
    std::vector<T> values(const Tensor& tensor) const {
        static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>);
        expect_dtype(tensor, sizeof(T) == 4 ? "F32" : "F64");
        std::vector<T> result(tensor.bytes.size() / sizeof(T));
        if (!result.empty()) std::memcpy(result.data(), tensor.bytes.data(), tensor.bytes.size());
        return result;
    }

    // FORMAT naming file, tensor and both shapes unless they are equal.
    void expect_shape(const Tensor& tensor, std::span<const int64_t> shape) const;
    void expect_dtype(const Tensor& tensor, std::string_view dtype) const;

  private:
    SafeTensors(std::string path, FileMapping file)
        : path_(std::move(path)), file_(std::move(file)) {}
    void read_header();

    std::string path_;
    FileMapping file_;
    std::vector<Tensor> tensors_;
    std::map<std::string, std::string> metadata_;
};

// Writes `tensors` (their `bytes` must match dtype and shape) under a temporary name beside `path`,
// then renames. On failure nothing is left behind and a file already under `path` stays as it was.
void write_safetensors(const std::string& path,
                       std::span<const Tensor> tensors,
                       const std::map<std::string, std::string>& metadata);

}  // namespace mirror
