// Descriptors of many images on one GPU, searched exactly. Rows lie in segments that never move; a
// search scores a strip of queries against every segment, then selects the best of the strip. Only
// image-level scores are ever stored.
#include "backend/cuda/store.h"

#include <algorithm>
#include <vector>

#include "backend/cuda/launchers.h"
#include "backend/cuda/memory.h"
#include "backend/cuda/nvtx.h"
#include "backend/cuda/scorer.h"
#include "base/checked.h"
#include "base/half.h"

namespace mirror::cuda {
namespace {

constexpr int64_t kSegmentBytes = int64_t{256}
                                  << 20;  // of the first; later ones grow with the store
constexpr int64_t kLargestSegmentBytes = int64_t{2} << 30;
constexpr int64_t kStripBytes = int64_t{256} << 20;  // scores of one strip of queries
constexpr double kStripFlops = 2e13;                 // a fraction of a second
constexpr int64_t kStagingBytes = int64_t{64} << 20;

class CudaStore final : public Store {
  public:
    CudaStore(std::shared_ptr<const Gpu> gpu, int regions, int dim, int32_t precision)
        : gpu_(std::move(gpu)),
          regions_(regions),
          dim_(dim),
          precision_(precision),
          // Rows of half precision start at multiples of 16 bytes; what pads them is zero.
          pitch_(precision == MIRROR_PRECISION_FP32
                     ? dim
                     : static_cast<int>(round_up(dim, alignment(precision)))),
          image_elements_(static_cast<int64_t>(checked_size("a descriptor", regions, pitch_))),
          image_bytes_(image_elements_ * element_bytes(precision)) {}

    void add(const float* rows, int64_t count) override {
        const Gpu::Scope scope(*gpu_);
        const int64_t before = size_;
        try {
            while (size_ < before + count)
                append(rows + (size_ - before) * regions_ * dim_, before + count - size_);
        } catch (const Error& error) {
            truncate(before);
            if (error.status() == MIRROR_E_OUT_OF_MEMORY) fail_full(count);
            throw;
        }
    }

    void truncate(int64_t size) override {
        while (!segments_.empty() && segments_.back().first >= size) segments_.pop_back();
        if (!segments_.empty())
            segments_.back().count =
                std::min(segments_.back().count, size - segments_.back().first);
        size_ = size;
    }

    int64_t size() const override { return size_; }

    void read(int64_t image, float* out) const override {
        const Gpu::Scope scope(*gpu_);
        const Segment& segment =
            *std::find_if(segments_.begin(), segments_.end(), [&](const Segment& s) {
                return image < s.first + s.count;
            });
        const void* source = segment.rows.as<>((image - segment.first) * image_bytes_);
        const auto elements = static_cast<size_t>(image_elements_);
        if (precision_ == MIRROR_PRECISION_FP32) {
            copy(*gpu_, out, source, elements * sizeof(float), gpu_->stream());
            gpu_->synchronize();
            return;
        }
        std::vector<float16> half(elements);
        copy(*gpu_, half.data(), source, elements * sizeof(float16), gpu_->stream());
        gpu_->synchronize();
        for (int r = 0; r < regions_; ++r)
            for (int i = 0; i < dim_; ++i)
                out[static_cast<int64_t>(r) * dim_ + i] =
                    to_float(half[static_cast<size_t>(r) * pitch_ + i]);
    }

    void search(const SearchJob& job) const override {
        const Gpu::Scope scope(*gpu_);
        const NvtxRange range("search");
        Strip strip = make_strip(job);
        for (int64_t first = 0; first < job.count; first += strip.images) {
            report(job, first);
            search_strip(job, first, std::min(strip.images, job.count - first), strip);
        }
        report(job, job.count);
    }

  private:
    struct Segment {
        DeviceBuffer rows;
        int64_t first = 0, count = 0, capacity = 0;
    };

    // What a search holds for some queries at a time.
    struct Strip {
        int64_t images = 0;
        DeviceBuffer queries, scores, ids, values, workspace;
    };

    void report(const SearchJob& job, int64_t done) const {
        const Gpu::Pause pause(*gpu_);
        job.progress.report(done);
    }

    // As many queries as memory for their scores, and the time between two reports, allow; fewer
    // where the device is nearly full.
    Strip make_strip(const SearchJob& job) const {
        const int64_t row_bytes = size_ * static_cast<int64_t>(sizeof(float)) + job.k * int64_t{16};
        const double flops = 2.0 * static_cast<double>(size_) * regions_ * regions_ * dim_;
        int64_t images = std::min({job.count,
                                   staging_images(),
                                   kStripBytes / row_bytes,
                                   static_cast<int64_t>(kStripFlops / flops)});
        for (images = std::max<int64_t>(images, 1);; images /= 2) {
            try {
                return allocate_strip(images, job.k);
            } catch (const Error& error) {
                if (error.status() != MIRROR_E_OUT_OF_MEMORY || images == 1) throw;
            }
        }
    }

    Strip allocate_strip(int64_t images, int k) const {
        Strip strip;
        strip.images = images;
        strip.queries = DeviceBuffer(gpu_, checked_size("queries", images, image_bytes_));
        strip.scores = DeviceBuffer(gpu_, checked_size("scores", images, size_) * sizeof(float));
        strip.ids = DeviceBuffer(gpu_, checked_size("ids", images, k) * sizeof(int32_t));
        strip.values = DeviceBuffer(gpu_, checked_size("values", images, k) * sizeof(float));
        strip.workspace = DeviceBuffer(
            gpu_, checked_size("workspace", images, topk_workspace(k)) * sizeof(uint64_t));
        return strip;
    }

    void search_strip(const SearchJob& job,
                      int64_t first,
                      int64_t count,
                      const Strip& strip) const {
        load(job.queries + first * regions_ * dim_, count, strip.queries.as<>());
        ScoreJob scores;
        scores.queries = strip.queries.as<>(), scores.nq = count;
        scores.regions = regions_, scores.dim = pitch_, scores.precision = precision_;
        scores.similarity = job.similarity, scores.metric = job.metric, scores.pitch = size_;
        for (const Segment& segment : segments_) {
            scores.rows = segment.rows.as<>(), scores.nd = segment.count;
            scores.scores = strip.scores.as<float>() + segment.first;
            scorer_.run(scores);
        }
        TopkParams best{};
        best.scores = strip.scores.as<const float>();
        best.ids = strip.ids.as<int>(), best.values = strip.values.as<float>();
        best.workspace = strip.workspace.as<unsigned long long>();
        best.rows = count, best.n = best.pitch = size_, best.k = job.k;
        best.smallest = job.metric == MIRROR_METRIC_EUCLIDEAN;
        topk(*gpu_, best);
        const size_t results = checked_size("results", count, job.k);
        copy(*gpu_,
             job.ids + first * job.k,
             strip.ids.as<>(),
             results * sizeof(int32_t),
             gpu_->stream());
        copy(*gpu_,
             job.scores + first * job.k,
             strip.values.as<>(),
             results * sizeof(float),
             gpu_->stream());
        gpu_->synchronize();
    }

    int64_t staging_images() const {
        return std::max<int64_t>(1,
                                 kStagingBytes / (static_cast<int64_t>(regions_) * dim_ *
                                                  static_cast<int64_t>(sizeof(float))));
    }

    // Some of `count` images, at least one.
    void append(const float* rows, int64_t count) {
        if (segments_.empty() || segments_.back().count == segments_.back().capacity) grow(count);
        Segment& segment = segments_.back();
        const int64_t some = std::min({count, segment.capacity - segment.count, staging_images()});
        load(rows, some, segment.rows.as<>(segment.count * image_bytes_));
        gpu_->synchronize();
        segment.count += some, size_ += some;
    }

    // A new segment for at least a part of `wanted` images: half of what is stored, within limits,
    // or what memory allows.
    void grow(int64_t wanted) {
        const int64_t bytes =
            std::clamp(size_ * image_bytes_ / 2, kSegmentBytes, kLargestSegmentBytes);
        int64_t capacity =
            std::min(std::max<int64_t>(1, bytes / image_bytes_), std::max(wanted, size_ / 2));
        for (;; capacity /= 2) {
            try {
                Segment segment;
                segment.rows =
                    DeviceBuffer(gpu_, checked_size("descriptors", capacity, image_bytes_));
                segment.first = size_, segment.capacity = capacity;
                segments_.push_back(std::move(segment));
                return;
            } catch (const Error& error) {
                if (error.status() != MIRROR_E_OUT_OF_MEMORY || capacity == 1) throw;
            }
        }
    }

    [[noreturn]] void fail_full(int64_t wanted) const {
        size_t available = 0, total = 0;
        MIRROR_CU(*gpu_, cuMemGetInfo_v2, &available, &total);
        fail(MIRROR_E_OUT_OF_MEMORY,
             "cuda:",
             gpu_->ordinal(),
             " cannot hold ",
             wanted,
             " more images beside ",
             size_,
             ": they need ",
             (wanted * image_bytes_ >> 20) + 1,
             " MiB (",
             image_bytes_,
             " bytes each), ",
             available >> 20,
             " MiB of ",
             total >> 20,
             " MiB are free; use fewer dimensions (whitening), half precision or more GPUs");
    }

    // Queues float rows from the caller's memory into a buffer of this store's precision.
    void load(const float* rows, int64_t count, void* target) const {
        const size_t bytes = checked_size("rows", count, regions_, dim_) * sizeof(float);
        if (precision_ == MIRROR_PRECISION_FP32)
            return copy(*gpu_, target, rows, bytes, gpu_->stream());
        staging_.reserve(gpu_, bytes);
        copy(*gpu_, staging_.as<>(), rows, bytes, gpu_->stream());
        cast(*gpu_,
             precision_,
             {staging_.as<const float>(), target, count * regions_, dim_, pitch_});
    }

    std::shared_ptr<const Gpu> gpu_;
    const int regions_, dim_;
    const int32_t precision_;
    const int pitch_;  // elements from row to row
    const int64_t image_elements_, image_bytes_;
    std::vector<Segment> segments_;
    mutable Scorer scorer_{gpu_};
    mutable DeviceBuffer staging_;  // float rows on their way to half precision
    int64_t size_ = 0;
};

}  // namespace

std::unique_ptr<Store> make_store(std::shared_ptr<const Gpu> gpu,
                                  int regions,
                                  int dim,
                                  int32_t precision) {
    return std::make_unique<CudaStore>(std::move(gpu), regions, dim, precision);
}

}  // namespace mirror::cuda
