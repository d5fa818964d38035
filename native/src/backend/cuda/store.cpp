// Descriptors of many images on one GPU, searched exactly. Rows lie in segments that never move; a
// search scores a strip of queries against every segment, then selects the best of the strip. Only
// image-level scores are ever stored.
#include "backend/cuda/store.h"

#include <algorithm>
#include <vector>

#include "backend/cuda/choose.h"
#include "backend/cuda/launchers.h"
#include "backend/cuda/memory.h"
#include "backend/cuda/nvtx.h"
#include "backend/cuda/products.h"
#include "backend/cuda/tensor_maps.h"
#include "base/checked.h"
#include "base/half.h"

namespace mirror::cuda {
namespace {

constexpr int64_t kSegmentBytes = int64_t{256}
                                  << 20;  // of the first; later ones grow with the store
constexpr int64_t kLargestSegmentBytes = int64_t{2} << 30;
constexpr int64_t kStripBytes = int64_t{256} << 20;  // scores of one strip of queries
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
        int64_t done = 0;
        while (done < count) {
            if (segments_.empty() || segments_.back().count == segments_.back().capacity)
                grow(count - done);
            Segment& segment = segments_.back();
            const int64_t some =
                std::min({count - done, segment.capacity - segment.count, staging_images()});
            load(rows + done * regions_ * dim_,
                 some,
                 segment.rows.as<>(segment.count * image_bytes_));
            gpu_->synchronize();
            segment.count += some, size_ += some, done += some;
        }
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
        const int64_t strip =
            std::clamp<int64_t>(kStripBytes / (size_ * static_cast<int64_t>(sizeof(float))),
                                1,
                                std::min(job.count, staging_images()));
        const int k = job.k;
        const DeviceBuffer queries(gpu_, static_cast<size_t>(strip * image_bytes_));
        const DeviceBuffer scores(gpu_, checked_size("scores", strip, size_) * sizeof(float));
        const DeviceBuffer ids(gpu_, checked_size("ids", strip, k) * sizeof(int32_t));
        const DeviceBuffer values(gpu_, checked_size("values", strip, k) * sizeof(float));
        const DeviceBuffer workspace(
            gpu_, checked_size("workspace", strip, topk_workspace(k)) * sizeof(uint64_t));
        for (int64_t first = 0; first < job.count; first += strip) {
            job.progress.report(first);
            const int64_t some = std::min(strip, job.count - first);
            load(job.queries + first * regions_ * dim_, some, queries.as<>());
            for (const Segment& segment : segments_)
                score_rows(gpu_,
                           {queries.as<>(),
                            segment.rows.as<>(),
                            some,
                            segment.count,
                            regions_,
                            pitch_,
                            precision_,
                            job.similarity,
                            job.metric,
                            scores.as<float>() + segment.first,
                            size_});
            topk(*gpu_,
                 {scores.as<const float>(),
                  ids.as<int>(),
                  values.as<float>(),
                  workspace.as<unsigned long long>(),
                  some,
                  size_,
                  size_,
                  k,
                  job.metric == MIRROR_METRIC_EUCLIDEAN});
            const size_t results = checked_size("results", some, k);
            copy(*gpu_, job.ids + first * k, ids.as<>(), results * sizeof(int32_t), gpu_->stream());
            copy(*gpu_,
                 job.scores + first * k,
                 values.as<>(),
                 results * sizeof(float),
                 gpu_->stream());
            gpu_->synchronize();
        }
        job.progress.report(job.count);
    }

  private:
    struct Segment {
        DeviceBuffer rows;
        int64_t first = 0, count = 0, capacity = 0;
    };

    int64_t staging_images() const {
        return std::max<int64_t>(1,
                                 kStagingBytes / (static_cast<int64_t>(regions_) * dim_ *
                                                  static_cast<int64_t>(sizeof(float))));
    }

    // A new segment for at least a part of `wanted` images: half of what is stored, within limits.
    void grow(int64_t wanted) {
        const int64_t bytes =
            std::clamp(size_ * image_bytes_ / 2, kSegmentBytes, kLargestSegmentBytes);
        const int64_t capacity =
            std::min(std::max<int64_t>(1, bytes / image_bytes_), std::max(wanted, size_ / 2));
        Segment segment;
        try {
            segment.rows = DeviceBuffer(gpu_, checked_size("descriptors", capacity, image_bytes_));
        } catch (const Error& error) {
            if (error.status() != MIRROR_E_OUT_OF_MEMORY) throw;
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
        segment.first = size_, segment.capacity = capacity;
        segments_.push_back(std::move(segment));
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
    mutable DeviceBuffer staging_;  // float rows on their way to half precision
    int64_t size_ = 0;
};

}  // namespace

void score_rows(const std::shared_ptr<const Gpu>& gpu, const ScoreJob& job, KernelId kernel) {
    ScoreParams params{job.queries,
                       job.rows,
                       job.scores,
                       job.nq,
                       job.nd,
                       job.pitch,
                       job.regions,
                       job.dim,
                       job.similarity,
                       job.metric,
                       nullptr};
    if (!score_needs_maps(kernel)) return score(*gpu, kernel, params);
    CUtensorMap maps[kScoreMaps];
    write_score_maps(*gpu, params, maps);
    const DeviceBuffer buffer(gpu, sizeof maps);
    copy(*gpu, buffer.as<>(), maps, sizeof maps, gpu->stream());
    params.maps = buffer.as<>();
    score(*gpu, kernel, params);
    gpu->synchronize();  // the maps are freed here
}

void score_rows(const std::shared_ptr<const Gpu>& gpu, const ScoreJob& job) {
    if (job.nq == 0 || job.nd == 0) return;
    if (family() == Family::cublas && job.metric == MIRROR_METRIC_DOT)
        return score_products(gpu, job);
    const bool half = job.precision != MIRROR_PRECISION_FP32;
    score_rows(
        gpu,
        job,
        choose_score(
            gpu->traits(), family(), {half, job.regions, job.dim, job.similarity, job.metric}));
}

std::unique_ptr<Store> make_store(std::shared_ptr<const Gpu> gpu,
                                  int regions,
                                  int dim,
                                  int32_t precision) {
    return std::make_unique<CudaStore>(std::move(gpu), regions, dim, precision);
}

}  // namespace mirror::cuda
