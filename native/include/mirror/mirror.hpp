// mirror.hpp: C++20 over mirror.h, header only. Handles are unique_ptrs, failures are exceptions,
// inputs are spans and outputs vectors; lengths are checked against the shapes, so a short buffer
// throws and is never read past. Every object may be destroyed before or after the ones it was made
// from. One thread at a time per object.
//
//     mirror::Device device("auto");
//     mirror::Model model("default.safetensors");
//     mirror::Extractor extractor(device, model);
//     std::vector<float> rows = extractor.run(images);             // [count, R, D]
//     mirror::l2_normalize(device, rows, extractor.shape().dim);
//     mirror::Index index(device, extractor.shape().regions, extractor.shape().dim);
//     index.add(rows);
//     for (const mirror::Match& match : index.search(rows, {.top = 10})) ...
//
// What has no class here is called through mirror.h with .get(); mirror::check() turns its status
// into an exception.
#pragma once

#include <algorithm>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "mirror/mirror.h"

namespace mirror {

// A failed call: status() is a MIRROR_E_* code, what() the library's message with its values.
class Exception : public std::runtime_error {
  public:
    Exception(mirror_status status, const std::string& message)
        : std::runtime_error(message), status_(status) {}
    mirror_status status() const noexcept { return status_; }

  private:
    mirror_status status_;
};

inline void check(mirror_status status) {
    if (status != MIRROR_OK) throw Exception(status, mirror_last_error());
}

// Called between units of work with (done, total); returning false stops the call with
// MIRROR_E_CANCELLED. An exception it throws also stops the call and then leaves it.
using ProgressFunction = std::function<bool(int64_t done, int64_t total)>;

namespace detail {

template <auto Destroy>
struct Destroyer {
    template <class T>
    void operator()(T* handle) const noexcept {
        Destroy(handle);
    }
};

// get(handle, &info) of an info struct of type Info.
template <class Info, class Handle, class Get>
Info get_info(const Handle* handle, Get get) {
    Info info{};
    info.struct_size = sizeof info;
    check(get(handle, &info));
    return info;
}

inline void require(bool condition, const std::string& message) {
    if (!condition) throw Exception(MIRROR_E_INVALID_ARGUMENT, message);
}

// Rows of `size` values each: how many a span holds.
inline int64_t count_rows(size_t values, int64_t size, const char* what) {
    require(size > 0 && values % static_cast<size_t>(size) == 0,
            std::string(what) + " holds " + std::to_string(values) +
                " values, expected a multiple of " + std::to_string(size));
    return static_cast<int64_t>(values / static_cast<size_t>(size));
}

// Runs call(const mirror_progress*) and carries an exception of the callback past the C ABI.
template <class Call>
void with_progress(const ProgressFunction& function, Call&& call) {
    struct State {
        const ProgressFunction& function;
        std::exception_ptr error;
    } state{function, nullptr};
    mirror_progress progress{};
    progress.user_data = &state;
    if (function)
        progress.callback = [](int64_t done, int64_t total, void* data) -> int32_t {
            State& state = *static_cast<State*>(data);
            try {
                return state.function(done, total) ? 0 : 1;
            } catch (...) {
                state.error = std::current_exception();
                return 1;
            }
        };
    const mirror_status status = call(&progress);
    if (state.error) std::rethrow_exception(state.error);
    check(status);
}

}  // namespace detail

// "auto", "cpu", "cuda", "cuda:N"; threads 0: all that the process may use.
class Device {
  public:
    explicit Device(const std::string& name = "auto", int32_t threads = 0) {
        mirror_device* handle = nullptr;
        check(mirror_device_create(&handle, name.c_str(), threads));
        handle_.reset(handle);
    }
    // The GPU of a host's own CUDA context; see mirror_device_create_cuda.
    explicit Device(const mirror_cuda_options& options) {
        mirror_device* handle = nullptr;
        check(mirror_device_create_cuda(&handle, &options));
        handle_.reset(handle);
    }
    mirror_device_info info() const {
        return detail::get_info<mirror_device_info>(get(), mirror_device_get_info);
    }
    mirror_device* get() const noexcept { return handle_.get(); }

  private:
    std::unique_ptr<mirror_device, detail::Destroyer<mirror_device_destroy>> handle_;
};

// A safetensors file; network empty: the one the file names.
class Model {
  public:
    explicit Model(const std::string& path, const std::string& network = "") {
        mirror_model* handle = nullptr;
        check(
            mirror_model_load(&handle, path.c_str(), network.empty() ? nullptr : network.c_str()));
        handle_.reset(handle);
    }
    mirror_model_info info() const {
        return detail::get_info<mirror_model_info>(get(), mirror_model_get_info);
    }
    mirror_model* get() const noexcept { return handle_.get(); }

  private:
    std::unique_ptr<mirror_model, detail::Destroyer<mirror_model_destroy>> handle_;
};

// mirror_extractor_options with its defaults filled in.
struct ExtractorOptions : mirror_extractor_options {
    ExtractorOptions() : mirror_extractor_options{} { mirror_extractor_options_init(this); }
};

// A view of RGB pixels whose rows follow each other without padding; `pixels` must outlive its use.
inline mirror_image rgb_image(std::span<const uint8_t> pixels, int32_t width, int32_t height) {
    detail::require(
        width > 0 && height > 0 &&
            pixels.size() == 3 * static_cast<size_t>(width) * static_cast<size_t>(height),
        "pixels holds " + std::to_string(pixels.size()) + " bytes, expected 3 * " +
            std::to_string(width) + " * " + std::to_string(height));
    return {pixels.data(), width, height, int64_t{3} * width, MIRROR_FORMAT_RGB8, 0};
}

struct Shape {
    int32_t regions, dim;  // R, D
};

// Photographs -> regional descriptors, raw: L2-normalise before use.
class Extractor {
  public:
    Extractor(const Device& device, const Model& model, const ExtractorOptions& options = {}) {
        mirror_extractor* handle = nullptr;
        check(mirror_extractor_create(&handle, device.get(), model.get(), &options));
        handle_.reset(handle);
    }
    mirror_extractor_info info() const {
        return detail::get_info<mirror_extractor_info>(get(), mirror_extractor_get_info);
    }
    Shape shape() const {
        const mirror_extractor_info all = info();
        return {all.regions, all.dim};
    }
    // [images, R, D]
    std::vector<float> run(std::span<const mirror_image> images,
                           const ProgressFunction& progress = {}) {
        const Shape size = shape();
        std::vector<float> rows(images.size() * static_cast<size_t>(size.regions) * size.dim);
        detail::with_progress(progress, [&](const mirror_progress* p) {
            return mirror_extractor_run(
                get(), images.data(), static_cast<int64_t>(images.size()), rows.data(), p);
        });
        return rows;
    }
    mirror_extractor* get() const noexcept { return handle_.get(); }

  private:
    std::unique_ptr<mirror_extractor, detail::Destroyer<mirror_extractor_destroy>> handle_;
};

// Scales each row of rows [n, dim] to length 1, in place.
inline void l2_normalize(const Device& device, std::span<float> rows, int32_t dim) {
    const int64_t count = detail::count_rows(rows.size(), dim, "rows");
    check(mirror_l2_normalize(device.get(), rows.data(), count, dim, rows.data()));
}

class Whitening {
  public:
    static Whitening load(const std::string& path) {
        mirror_whitening* handle = nullptr;
        check(mirror_whitening_load(&handle, path.c_str()));
        return Whitening(handle);
    }
    // rows [n, dim]. keep: components to keep; 0: as many as explain more than `variance`, 0 <
    // variance < 1.
    static Whitening fit(const Device& device,
                         std::span<const float> rows,
                         int32_t dim,
                         int32_t keep,
                         double variance = 0,
                         const ProgressFunction& progress = {},
                         int32_t solver = MIRROR_SOLVER_EXACT) {
        const int64_t count = detail::count_rows(rows.size(), dim, "rows");
        mirror_whitening* handle = nullptr;
        detail::with_progress(progress, [&](const mirror_progress* p) {
            mirror_whitening_options options;
            mirror_whitening_options_init(&options);
            options.dim = keep;
            options.variance = variance;
            options.solver = solver;
            options.progress = p;
            return mirror_whitening_fit(&handle, device.get(), rows.data(), count, dim, &options);
        });
        return Whitening(handle);
    }
    // queries and positives [n, dim]: row i of one matches row i of the other.
    static Whitening learn(const Device& device,
                           std::span<const float> queries,
                           std::span<const float> positives,
                           int32_t dim,
                           int32_t keep) {
        const int64_t count = detail::count_rows(queries.size(), dim, "queries");
        detail::require(positives.size() == queries.size(),
                        "positives holds " + std::to_string(positives.size()) +
                            " values, queries " + std::to_string(queries.size()));
        mirror_whitening* handle = nullptr;
        check(mirror_whitening_learn(
            &handle, device.get(), queries.data(), positives.data(), count, dim, keep));
        return Whitening(handle);
    }
    void save(const std::string& path) const { check(mirror_whitening_save(get(), path.c_str())); }
    mirror_whitening_info info() const {
        return detail::get_info<mirror_whitening_info>(get(), mirror_whitening_get_info);
    }
    // rows [n, input_dim] -> [n, output_dim], each of length 1.
    std::vector<float> apply(const Device& device, std::span<const float> rows) const {
        const mirror_whitening_info size = info();
        const int64_t count = detail::count_rows(rows.size(), size.input_dim, "rows");
        std::vector<float> out(static_cast<size_t>(count) * size.output_dim);
        check(mirror_whitening_apply(get(), device.get(), rows.data(), count, out.data()));
        return out;
    }
    mirror_whitening* get() const noexcept { return handle_.get(); }

  private:
    explicit Whitening(mirror_whitening* handle) : handle_(handle) {}
    std::unique_ptr<mirror_whitening, detail::Destroyer<mirror_whitening_destroy>> handle_;
};

struct SearchOptions {
    int32_t top = 100;
    int32_t similarity = MIRROR_SIMILARITY_PR_MAC;
    int32_t metric = MIRROR_METRIC_DOT;
};

struct Match {
    int64_t query;
    int32_t image;
    float score;  // not divided by R
};

// Descriptors of many images, searched exactly.
class Index {
  public:
    Index(const Device& device,
          int32_t regions,
          int32_t dim,
          int32_t precision = MIRROR_PRECISION_FP32)
        : image_values_(static_cast<int64_t>(regions) * dim) {
        mirror_index* handle = nullptr;
        check(mirror_index_create(&handle, device.get(), regions, dim, precision));
        handle_.reset(handle);
    }
    // rows [n, R, D]
    void add(std::span<const float> rows) {
        check(mirror_index_add(
            get(), rows.data(), detail::count_rows(rows.size(), image_values_, "rows")));
    }
    int64_t size() const {
        int64_t size = 0;
        check(mirror_index_size(get(), &size));
        return size;
    }
    // queries [n, R, D]. min(top, size()) matches per query, query after query, best first.
    std::vector<Match> search(std::span<const float> queries,
                              const SearchOptions& options = {},
                              const ProgressFunction& progress = {}) const {
        const int64_t count = detail::count_rows(queries.size(), image_values_, "queries");
        detail::require(options.top >= 1,
                        "top is " + std::to_string(options.top) + ", expected >= 1");
        const int64_t k = std::min<int64_t>(options.top, size());
        std::vector<int32_t> ids(static_cast<size_t>(count * k));
        std::vector<float> scores(ids.size());
        detail::with_progress(progress, [&](const mirror_progress* p) {
            mirror_search_options raw;
            mirror_search_options_init(&raw);
            raw.top = options.top;
            raw.similarity = options.similarity;
            raw.metric = options.metric;
            raw.progress = p;
            return mirror_index_search(
                get(), queries.data(), count, &raw, ids.data(), scores.data());
        });
        std::vector<Match> matches(ids.size());
        for (size_t i = 0; i < ids.size(); ++i)
            matches[i] = {static_cast<int64_t>(i) / k, ids[i], scores[i]};
        return matches;
    }
    mirror_index* get() const noexcept { return handle_.get(); }

  private:
    int64_t image_values_;
    std::unique_ptr<mirror_index, detail::Destroyer<mirror_index_destroy>> handle_;
};

}  // namespace mirror
