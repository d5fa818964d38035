#include "backend/multi.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <thread>

#include "plan/plan.h"

namespace mirror {
namespace {

// body(i) for every device, the first on the calling thread and each other on its own. The earliest
// failure sets `failed`, and is thrown after all have ended.
template <class Body>
void on_each(size_t count, std::atomic<bool>& failed, Body&& body) {
    std::exception_ptr failure;
    const auto guarded = [&](size_t i) {
        try {
            body(i);
        } catch (...) {
            if (!failed.exchange(true)) failure = std::current_exception();
        }
    };
    {
        std::vector<std::jthread> others;  // joined here, also where one cannot be started
        for (size_t i = 1; i < count; ++i) others.emplace_back(guarded, i);
        guarded(0);
    }
    if (failure) std::rethrow_exception(failure);
}
template <class Body>
void on_each(size_t count, Body&& body) {
    std::atomic<bool> failed = false;
    on_each(count, failed, body);
}

// Part i of `count` things dealt to `devices` in contiguous runs, none larger than the first.
struct Share {
    int64_t first, count;
};
Share share(int64_t count, size_t devices, size_t i) {
    const int64_t n = static_cast<int64_t>(devices), each = count / n, more = count % n;
    const int64_t at = static_cast<int64_t>(i);
    return {at * each + std::min(at, more), each + (at < more ? 1 : 0)};
}

class MultiPipeline final : public Pipeline {
  public:
    MultiPipeline(const std::vector<std::shared_ptr<Backend>>& devices, const PipelineSpec& spec)
        : parts_(devices.size()) {
        const Plan* plan = spec.plans[0].get();
        const PlanTensor& map = plan->tensors[static_cast<size_t>(plan->output)];
        int64_t regions = 0;
        for (const auto& scale : spec.regions) regions += static_cast<int64_t>(scale.size());
        row_ = regions * map.channels;
        map_ = static_cast<int64_t>(map.height) * map.width * map.channels;
        input_ = static_cast<int64_t>(spec.height) * spec.width * 3;
        on_each(devices.size(), [&](size_t i) { parts_[i] = devices[i]->make_pipeline(spec); });
    }

    int capacity() const override {
        return static_cast<int>(parts_.size()) * parts_[0]->capacity();
    }
    int preferred() const override {
        int sum = 0;
        for (const auto& part : parts_) sum += part->preferred();
        return sum;
    }
    void run_images(const mirror_image* images, int count, float* out) override {
        deal(count, [&](Pipeline& part, Share s) {
            part.run_images(images + s.first, static_cast<int>(s.count), out + s.first * row_);
        });
    }
    void run_input(const float* input, int count, float* out) override {
        deal(count, [&](Pipeline& part, Share s) {
            part.run_input(
                input + s.first * input_, static_cast<int>(s.count), out + s.first * row_);
        });
    }
    void run_map(const float* input, int count, float* out) override {
        deal(count, [&](Pipeline& part, Share s) {
            part.run_map(input + s.first * input_, static_cast<int>(s.count), out + s.first * map_);
        });
    }
    void finish() override {
        on_each(parts_.size(), [&](size_t i) { parts_[i]->finish(); });
    }
    void drop() noexcept override {
        for (const auto& part : parts_) part->drop();
    }
    int64_t arena_bytes() const override { return parts_[0]->arena_bytes(); }
    int64_t weight_bytes() const override { return parts_[0]->weight_bytes(); }

  private:
    template <class Run>
    void deal(int count, Run&& run) {
        on_each(parts_.size(), [&](size_t i) {
            const Share s = share(count, parts_.size(), i);
            if (s.count > 0) run(*parts_[i], s);
        });
    }

    std::vector<std::unique_ptr<Pipeline>> parts_;
    int64_t row_ = 0, map_ = 0, input_ = 0;  // elements of one image
};

class MultiStore final : public Store {
  public:
    MultiStore(const std::vector<std::shared_ptr<Backend>>& devices,
               int regions,
               int dim,
               int32_t precision)
        : image_(static_cast<int64_t>(regions) * dim) {
        for (const auto& device : devices)
            parts_.push_back(device->make_store(regions, dim, precision));
    }

    void add(const float* rows, int64_t count) override {
        const int64_t before = size();
        try {
            on_each(parts_.size(), [&](size_t i) { parts_[i]->add(rows, count); });
        } catch (...) {
            truncate(before);
            throw;
        }
    }
    void truncate(int64_t size) override {
        for (const auto& part : parts_) part->truncate(size);
    }
    int64_t size() const override { return parts_[0]->size(); }
    void read(int64_t image, float* out) const override { parts_[0]->read(image, out); }
    // Progress comes from the first device: the callback belongs to the calling thread. What stops
    // one device stops all.
    void search(const SearchJob& job) const override {
        const size_t devices = parts_.size();
        std::atomic<bool> stop = false;
        on_each(devices, stop, [&](size_t i) {
            const Share s = share(job.count, devices, i);
            if (s.count == 0) return;
            SearchJob part = job;
            part.progress =
                i == 0 ? job.progress.part_here(stop, s.count) : Progress::part_elsewhere(stop);
            part.queries += s.first * image_;
            part.count = s.count;
            part.ids += s.first * job.k;
            part.scores += s.first * job.k;
            parts_[i]->search(part);
        });
        job.progress.report(job.count);
    }

  private:
    const int64_t image_;
    std::vector<std::unique_ptr<Store>> parts_;
};

class MultiBackend final : public Backend {
  public:
    explicit MultiBackend(std::vector<std::shared_ptr<Backend>> devices)
        : devices_(std::move(devices)) {}

    mirror_device_info info() const override {
        mirror_device_info info = first().info();
        const std::string name = text(devices_.size(), " x ", info.name);
        std::memset(info.name, 0, sizeof info.name);
        std::memcpy(info.name, name.data(), std::min(name.size(), sizeof info.name - 1));
        return info;
    }
    std::unique_ptr<Pipeline> make_pipeline(PipelineSpec spec) override {
        return std::make_unique<MultiPipeline>(devices_, spec);
    }
    std::unique_ptr<Store> make_store(int regions, int dim, int32_t precision) override {
        return std::make_unique<MultiStore>(devices_, regions, dim, precision);
    }
    int channel_alignment(int32_t precision) const override {
        return first().channel_alignment(precision);
    }
    bool on_device(const void* pointer, size_t) const override {
        require(!first().on_device(pointer, 1),
                "a pointer to device memory is given to ",
                devices_.size(),
                " GPUs that share the work: use one GPU, or memory of the host");
        return false;
    }
    float value(const float* x) const override { return first().value(x); }
    int64_t find_beyond(const float* x, int64_t count, float limit) const override {
        return first().find_beyond(x, count, limit);
    }
    void preprocess(const mirror_image& image,
                    int height,
                    int width,
                    int32_t fit,
                    const float* mean,
                    float* out) override {
        first().preprocess(image, height, width, fit, mean, out);
    }
    void conv2d(const Conv2dArgs& args) override { first().conv2d(args); }
    void pool2d(const mirror_window& window,
                int32_t pool,
                const float* x,
                int n,
                int h,
                int w,
                int c,
                float* y) override {
        first().pool2d(window, pool, x, n, h, w, c, y);
    }
    void lrn(const float* x,
             int64_t rows,
             int c,
             int radius,
             float alpha,
             float beta,
             float bias,
             float* y) override {
        first().lrn(x, rows, c, radius, alpha, beta, bias, y);
    }
    void region_pool(const float* maps,
                     int n,
                     int h,
                     int w,
                     int c,
                     std::span<const mirror_region> regions,
                     int32_t pool,
                     float gem_p,
                     float* out,
                     int64_t out_stride) override {
        first().region_pool(maps, n, h, w, c, regions, pool, gem_p, out, out_stride);
    }
    void l2_normalize(const float* x, int64_t count, int dim, float* y) override {
        first().l2_normalize(x, count, dim, y);
    }
    void covariance(const float* rows,
                    int64_t count,
                    int dim,
                    const Progress& progress,
                    double* mean,
                    double* covariance) override {
        first().covariance(rows, count, dim, progress, mean, covariance);
    }
    void whiten(const float* rows,
                int64_t count,
                int dim,
                const double* projection,
                const double* offset,
                int out_dim,
                float* out) override {
        first().whiten(rows, count, dim, projection, offset, out_dim, out);
    }
    void similarity(const float* queries,
                    int64_t nq,
                    const float* rows,
                    int64_t nd,
                    int regions,
                    int dim,
                    int32_t similarity,
                    int32_t metric,
                    float* scores) override {
        first().similarity(queries, nq, rows, nd, regions, dim, similarity, metric, scores);
    }
    void topk(const float* scores,
              int64_t rows,
              int64_t n,
              int k,
              bool smallest,
              int32_t* ids,
              float* values) override {
        first().topk(scores, rows, n, k, smallest, ids, values);
    }
    void gemm(const float* a,
              const float* b,
              int64_t m,
              int64_t n,
              int64_t k,
              int32_t precision,
              float* c) override {
        first().gemm(a, b, m, n, k, precision, c);
    }

  private:
    Backend& first() const { return *devices_[0]; }

    std::vector<std::shared_ptr<Backend>> devices_;
};

}  // namespace

std::shared_ptr<Backend> make_multi_backend(std::vector<std::shared_ptr<Backend>> devices) {
    return std::make_shared<MultiBackend>(std::move(devices));
}

}  // namespace mirror
