// Reader and writer of safetensors; see the header for the idea.
#include "model/safetensors.h"

#include <algorithm>
#include <bit>
#include <filesystem>
#include <fstream>
#include <limits>

#include "base/json.h"

static_assert(std::endian::native == std::endian::little,
              "safetensors data is read without swapping");

namespace mirror {
namespace {

constexpr size_t length_bytes = sizeof(uint64_t);

struct DtypeSize {
    std::string_view name;
    int64_t bytes;
};

constexpr DtypeSize dtype_sizes[] = {{"BOOL", 1},
                                     {"U8", 1},
                                     {"I8", 1},
                                     {"F8_E4M3", 1},
                                     {"U16", 2},
                                     {"I16", 2},
                                     {"F16", 2},
                                     {"BF16", 2},
                                     {"U32", 4},
                                     {"I32", 4},
                                     {"F32", 4},
                                     {"F8_E5M2", 1},
                                     {"U64", 8},
                                     {"I64", 8},
                                     {"F64", 8}};

// Bytes of one element, 0 for a dtype the format does not know.
int64_t dtype_bytes(std::string_view dtype) {
    for (const auto& entry : dtype_sizes)
        if (entry.name == dtype) return entry.bytes;
    return 0;
}

// dtype * shape in bytes, or -1 where it does not fit 63 bits.
int64_t tensor_bytes(int64_t element_bytes, std::span<const int64_t> shape) {
    if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
    int64_t bytes = element_bytes;
    for (int64_t extent : shape) {
        if (bytes > std::numeric_limits<int64_t>::max() / extent) return -1;
        bytes *= extent;
    }
    return bytes;
}

Tensor read_entry(const std::string& name, const Json& entry, std::span<const std::byte> data) {
    Tensor tensor;
    tensor.name = name;
    for (const auto& [key, value] : entry.object("entry"))
        if (key != "dtype" && key != "shape" && key != "data_offsets")
            fail(MIRROR_E_FORMAT, "unknown member ", json_quote(key));
    tensor.dtype = entry.at("dtype").string("dtype");
    const int64_t element_bytes = dtype_bytes(tensor.dtype);
    if (element_bytes == 0) fail(MIRROR_E_FORMAT, "unknown dtype ", json_quote(tensor.dtype));
    for (const Json& extent : entry.at("shape").array("shape"))
        tensor.shape.push_back(extent.size("shape"));

    const auto& offsets = entry.at("data_offsets").array("data_offsets");
    if (offsets.size() != 2)
        fail(MIRROR_E_FORMAT, "data_offsets has ", offsets.size(), " values, expected 2");
    const int64_t begin = offsets[0].size("data_offsets"), end = offsets[1].size("data_offsets");
    if (begin > end || static_cast<uint64_t>(end) > data.size())
        fail(MIRROR_E_FORMAT,
             "data_offsets are ",
             begin,
             " to ",
             end,
             ", but the file has ",
             data.size(),
             " bytes of data");
    const int64_t bytes = tensor_bytes(element_bytes, tensor.shape);
    if (bytes != end - begin)
        fail(MIRROR_E_FORMAT,
             "data_offsets span ",
             end - begin,
             " bytes, but ",
             tensor.dtype,
             " ",
             shape_text(tensor.shape),
             " takes ",
             bytes < 0 ? "more than 2^63" : text(bytes));
    tensor.bytes = data.subspan(static_cast<size_t>(begin), static_cast<size_t>(bytes));
    return tensor;
}

// The format allows neither overlaps nor holes: in order of offset, each tensor starts where the
// last ended.
void check_cover(const std::vector<Tensor>& tensors, std::span<const std::byte> data) {
    std::vector<const Tensor*> order;
    for (const Tensor& tensor : tensors) order.push_back(&tensor);
    std::sort(order.begin(), order.end(), [](const Tensor* a, const Tensor* b) {
        return std::pair(a->bytes.data(), a->bytes.size()) <
               std::pair(b->bytes.data(), b->bytes.size());
    });
    const std::byte* next = data.data();
    for (const Tensor* tensor : order) {
        if (tensor->bytes.data() != next)
            fail(MIRROR_E_FORMAT,
                 "tensor ",
                 tensor->name,
                 ": data starts at byte ",
                 tensor->bytes.data() - data.data(),
                 ", expected ",
                 next - data.data(),
                 " (tensors must neither overlap nor leave holes)");
        next += tensor->bytes.size();
    }
    if (next != data.data() + data.size())
        fail(MIRROR_E_FORMAT,
             data.size() - static_cast<size_t>(next - data.data()),
             " bytes after the last tensor");
}

}  // namespace

int64_t Tensor::elements() const {
    int64_t count = 1;
    for (int64_t extent : shape) count *= extent;
    return count;
}

std::string shape_text(std::span<const int64_t> shape) {
    std::string result = "[";
    for (size_t i = 0; i < shape.size(); ++i) result += text(i ? ", " : "", shape[i]);
    return result + "]";
}

SafeTensors SafeTensors::open(const std::string& path) {
    SafeTensors file(path, FileMapping::open(path));
    try {
        file.read_header();
    } catch (const Error& e) {
        fail(e.status(), path, ": ", e.what());
    }
    return file;
}

void SafeTensors::read_header() {
    const auto bytes = file_.bytes();
    if (bytes.size() < length_bytes)
        fail(MIRROR_E_FORMAT,
             "not a safetensors file: ",
             bytes.size(),
             " bytes, expected at least 8");
    uint64_t header_bytes;
    std::memcpy(&header_bytes, bytes.data(), length_bytes);
    const uint64_t limit = std::min<uint64_t>(max_header_bytes, bytes.size() - length_bytes);
    if (header_bytes > limit)
        fail(MIRROR_E_FORMAT,
             "not a safetensors file, or truncated: the header should have ",
             header_bytes,
             " bytes, expected at most ",
             limit);
    const auto header_size = static_cast<size_t>(header_bytes);
    const auto data = bytes.subspan(length_bytes + header_size);
    const Json header =
        Json::parse({reinterpret_cast<const char*>(bytes.data()) + length_bytes, header_size});

    for (const auto& [name, entry] : header.object("header")) {
        if (name == "__metadata__") {
            for (const auto& [key, value] : entry.object("__metadata__"))
                metadata_[key] = value.string("__metadata__ " + json_quote(key));
            continue;
        }
        try {
            tensors_.push_back(read_entry(name, entry, data));
        } catch (const Error& e) {
            fail(e.status(), "tensor ", name, ": ", e.what());
        }
    }
    check_cover(tensors_, data);
    std::sort(tensors_.begin(), tensors_.end(), [](const Tensor& a, const Tensor& b) {
        return a.name < b.name;
    });
}

std::string SafeTensors::metadata(const std::string& key) const {
    const auto found = metadata_.find(key);
    return found == metadata_.end() ? std::string() : found->second;
}

const Tensor* SafeTensors::find(std::string_view name) const {
    const auto found = std::lower_bound(
        tensors_.begin(), tensors_.end(), name, [](const Tensor& tensor, std::string_view n) {
            return tensor.name < n;
        });
    return found != tensors_.end() && found->name == name ? &*found : nullptr;
}

const Tensor& SafeTensors::at(std::string_view name) const {
    const Tensor* tensor = find(name);
    if (!tensor) fail(MIRROR_E_NOT_FOUND, path_, ": tensor ", name, " is missing");
    return *tensor;
}

void SafeTensors::expect_shape(const Tensor& tensor, std::span<const int64_t> shape) const {
    if (!std::equal(shape.begin(), shape.end(), tensor.shape.begin(), tensor.shape.end()))
        fail(MIRROR_E_FORMAT,
             path_,
             ": tensor ",
             tensor.name,
             " has shape ",
             shape_text(tensor.shape),
             ", expected ",
             shape_text(shape));
}

void SafeTensors::expect_dtype(const Tensor& tensor, std::string_view dtype) const {
    if (tensor.dtype != dtype)
        fail(MIRROR_E_FORMAT,
             path_,
             ": tensor ",
             tensor.name,
             " has dtype ",
             tensor.dtype,
             ", expected ",
             dtype);
}

void write_safetensors(const std::string& path,
                       std::span<const Tensor> tensors,
                       const std::map<std::string, std::string>& metadata) {
    std::string header = "{";
    if (!metadata.empty()) {
        header += "\"__metadata__\":{";
        for (const auto& [key, value] : metadata) {
            if (header.back() != '{') header += ',';
            header += json_quote(key) + ':' + json_quote(value);
        }
        header += '}';
    }
    size_t offset = 0;
    for (const Tensor& tensor : tensors) {
        require(tensor_bytes(dtype_bytes(tensor.dtype), tensor.shape) ==
                    static_cast<int64_t>(tensor.bytes.size()),
                "tensor ",
                tensor.name,
                " has ",
                tensor.bytes.size(),
                " bytes, which do not fit ",
                tensor.dtype,
                " ",
                shape_text(tensor.shape));
        if (header.back() != '{') header += ',';
        header += text(json_quote(tensor.name),
                       ":{\"dtype\":",
                       json_quote(tensor.dtype),
                       ",\"shape\":",
                       shape_text(tensor.shape),
                       ",\"data_offsets\":[",
                       offset,
                       ",",
                       offset + tensor.bytes.size(),
                       "]}");
        offset += tensor.bytes.size();
    }
    header += '}';
    header.append((8 - header.size() % 8) % 8,
                  ' ');  // data starts aligned, as the reference writer does

    namespace fs = std::filesystem;
    const fs::path target(std::u8string(path.begin(), path.end()));
    fs::path temporary = target;
    temporary += ".part";
    std::error_code ignored;  // removing a file that was perhaps never created
    try {
        std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
        const uint64_t header_bytes = header.size();
        out.write(reinterpret_cast<const char*>(&header_bytes), length_bytes);
        out.write(header.data(), static_cast<std::streamsize>(header.size()));
        for (const Tensor& tensor : tensors)
            out.write(reinterpret_cast<const char*>(tensor.bytes.data()),
                      static_cast<std::streamsize>(tensor.bytes.size()));
        out.close();
        if (!out)
            fail(MIRROR_E_IO,
                 path,
                 ": cannot write (is the folder there and writable, is the disk full?)");
        fs::rename(temporary, target);
    } catch (const fs::filesystem_error& e) {
        fs::remove(temporary, ignored);
        fail(MIRROR_E_IO, path, ": ", e.code().message());
    } catch (...) {
        fs::remove(temporary, ignored);
        throw;
    }
}

}  // namespace mirror
