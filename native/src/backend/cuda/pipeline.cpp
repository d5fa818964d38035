// Photographs in, descriptors out, on one GPU. Two slots take turns: while one chunk computes, the
// next is copied into pinned memory and uploaded on a second stream. The network is recorded once
// per number of images and replayed as a CUDA graph.
#include "backend/cuda/pipeline.h"

#include <cstring>
#include <map>

#include "backend/cuda/graph.h"
#include "backend/cuda/launchers.h"
#include "backend/cuda/memory.h"
#include "backend/cuda/network.h"
#include "backend/cuda/nvtx.h"
#include "backend/resize.h"
#include "base/checked.h"
#include "base/log.h"

namespace mirror::cuda {
namespace {

constexpr int kSlots = 2;
constexpr int64_t kImageAlignment = 256;

int64_t pixel_bytes(const mirror_image& image) {
    return image.format == MIRROR_FORMAT_GRAY8 ? 1 : image.format == MIRROR_FORMAT_RGB8 ? 3 : 4;
}

struct Slot {
    explicit Slot(const std::shared_ptr<const Gpu>& gpu) : uploaded(gpu), done(gpu) {
        overflow.reserve(gpu, sizeof(unsigned));
    }
    PinnedBuffer upload, result, overflow;
    DeviceBuffer images;
    Event uploaded, done;
    bool busy = false;        // all of a chunk is queued, up to `done`
    float* target = nullptr;  // host memory that the result goes to, or null
    size_t bytes = 0;
};

class CudaPipeline final : public Pipeline {
  public:
    CudaPipeline(std::shared_ptr<const Gpu> gpu, PipelineSpec spec)
        : gpu_(std::move(gpu)),
          spec_(std::move(spec)),
          weights_(gpu_, spec_.plans[0]->model, spec_.precision) {
        const Gpu::Scope scope(*gpu_);
        overflow_ = DeviceBuffer(gpu_, sizeof(unsigned));
        int64_t arena = 0;
        for (size_t i = 0; i < spec_.plans.size(); ++i) {
            networks_.emplace_back(gpu_,
                                   spec_.plans[i],
                                   spec_.precision,
                                   family(),
                                   static_cast<int>(i),
                                   weights_,
                                   overflow_.as<unsigned>());
            arena = std::max(arena, spec_.plans[i]->arena_elements);
            upload_regions(spec_.regions[i]);
        }
        arena_ =
            DeviceBuffer(gpu_, checked_size("the arena", arena, element_bytes(spec_.precision)));
        // Channels that only pad a tensor are computed from zeros; what lies there before the first
        // run is not.
        MIRROR_CU(*gpu_, cuMemsetD8Async, arena_.address(), 0, arena_.bytes(), gpu_->stream());
        out_ = DeviceBuffer(
            gpu_, checked_size("the descriptors", spec_.batch, rows_, dim()) * sizeof(float));
        for (int i = 0; i < kSlots; ++i) slots_.push_back(std::make_unique<Slot>(gpu_));
        eager_ = !graphs_wanted();
        gpu_->synchronize();
    }

    // Buffers must outlive what is queued on them; a failure has been or will be reported by a
    // call.
    ~CudaPipeline() override { drop(); }

    int capacity() const override { return spec_.batch; }
    int preferred() const override { return spec_.batch * kSlots; }

    void run_images(const mirror_image* images, int count, float* out) override {
        const Gpu::Scope scope(*gpu_);
        const NvtxRange range("extract/images");
        Slot& slot = next_slot();
        const std::vector<PreprocessParams> uploaded = upload(slot, images, count);
        for (int i = 0; i < count; ++i)
            for (const Network& network : networks_) {
                PreprocessParams params = uploaded[static_cast<size_t>(i)];
                params.out = network.layout();
                params.out.y = static_cast<std::byte*>(params.out.y) +
                               i * params.out.image_stride * element_bytes(spec_.precision);
                preprocess(*gpu_, spec_.precision, params);
            }
        compute(slot, count, out);
    }

    void run_input(const float* input, int count, float* out) override {
        const Gpu::Scope scope(*gpu_);
        const NvtxRange range("extract/input");
        Slot& slot = next_slot();
        pack_input(slot, input, count, networks_.size());
        compute(slot, count, out);
    }

    void run_map(const float* input, int count, float* out) override {
        const Gpu::Scope scope(*gpu_);
        Slot& slot = next_slot();
        pack_input(slot, input, count, 1);
        networks_[0].prepare(count, arena_.as<>());
        clear_overflow();
        networks_[0].run(count, arena_.as<>());
        const PlanTensor& map = networks_[0].output();
        const int64_t rows = static_cast<int64_t>(count) * map.height * map.width;
        const size_t bytes = checked_size("the map", rows, map.channels) * sizeof(float);
        DeviceBuffer dense(gpu_, bytes);
        unpack(
            *gpu_,
            spec_.precision,
            {networks_[0].map(arena_.as<>()), dense.as<float>(), rows, map.stride, map.channels});
        copy(*gpu_, out, dense.as<>(), bytes, gpu_->stream());
        unsigned overflow = 0;
        copy(*gpu_, &overflow, overflow_.as<>(), sizeof overflow, gpu_->stream());
        gpu_->synchronize();
        require_in_range(overflow);
    }

    void finish() override {
        const Gpu::Scope scope(*gpu_);
        for (int i = 0; i < kSlots; ++i) retire(*slots_[static_cast<size_t>((turn_ + i) % kSlots)]);
    }

    void drop() noexcept override {
        for (const auto& slot : slots_) slot->target = nullptr;
        // What is queued may still read the caller's device memory.
        if (!gpu_->push()) return;
        gpu_->driver().cuStreamSynchronize(gpu_->copy_stream());
        gpu_->driver().cuStreamSynchronize(gpu_->stream());
        gpu_->pop();
    }

    int64_t arena_bytes() const override {
        int64_t bytes = static_cast<int64_t>(arena_.bytes());
        for (const Network& network : networks_) bytes += network.input_bytes();
        return bytes;
    }
    int64_t weight_bytes() const override { return weights_.bytes(); }

  private:
    struct Recorded {
        bool ran = false;
        std::unique_ptr<Graph> recorded;
    };

    int dim() const { return networks_[0].output().channels; }

    void upload_regions(const std::vector<mirror_region>& regions) {
        std::vector<Region> list;
        for (const mirror_region& r : regions) list.push_back({r.x, r.y, r.width, r.height});
        regions_.push_back(cuda::upload(gpu_, list.data(), list.size() * sizeof(Region)));
        rows_ += static_cast<int64_t>(list.size());
    }

    // The slot that has rested longest, its last result delivered.
    Slot& next_slot() {
        Slot& slot = *slots_[static_cast<size_t>(turn_)];
        turn_ = (turn_ + 1) % kSlots;
        retire(slot);
        return slot;
    }

    void retire(Slot& slot) {
        if (!slot.busy) return;
        slot.busy = false;
        slot.done.wait();
        require_in_range(*slot.overflow.as<unsigned>());
        if (slot.target) std::memcpy(slot.target, slot.result.as<>(), slot.bytes);
        slot.target = nullptr;
    }

    void clear_overflow() const {
        MIRROR_CU(
            *gpu_, cuMemsetD8Async, overflow_.address(), 0, overflow_.bytes(), gpu_->stream());
    }

    // An infinity would become NaN in the next layer and zero in its ReLU: plausible, and wrong.
    void require_in_range(unsigned overflow) const {
        require(overflow == 0,
                "precision is fp16, but a value within the network exceeds 65504, the largest that "
                "fp16 has; use bf16 or fp32");
    }

    // Queues the pixels of every image that lies on the host; the computing stream waits for them.
    std::vector<PreprocessParams> upload(Slot& slot, const mirror_image* images, int count) {
        std::vector<int64_t> offsets(static_cast<size_t>(count), -1);  // -1: already on the device
        int64_t total = 0;
        for (int i = 0; i < count; ++i) {
            if (on_device(*gpu_, images[i].data)) continue;
            offsets[static_cast<size_t>(i)] = total;
            total += round_up(images[i].width * pixel_bytes(images[i]) * images[i].height,
                              kImageAlignment);
        }
        slot.upload.reserve(gpu_, static_cast<size_t>(total));
        slot.images.reserve(gpu_, static_cast<size_t>(total));
        std::vector<PreprocessParams> result;
        for (int i = 0; i < count; ++i) {
            const mirror_image& image = images[i];
            PreprocessParams params{};
            params.image = image.data, params.stride = image.stride;
            const int64_t row = image.width * pixel_bytes(image);
            if (const int64_t offset = offsets[static_cast<size_t>(i)]; offset >= 0) {
                std::byte* pinned = slot.upload.as<>() + offset;
                for (int64_t y = 0; y < image.height; ++y)
                    std::memcpy(
                        pinned + y * row, image.data + y * image.stride, static_cast<size_t>(row));
                params.image = slot.images.as<const unsigned char>(offset), params.stride = row;
                copy(*gpu_,
                     slot.images.as<>(offset),
                     pinned,
                     static_cast<size_t>(row * image.height),
                     gpu_->copy_stream());
            }
            params.width = image.width, params.height = image.height, params.format = image.format;
            const Resize resize =
                resize_geometry(image.height, image.width, spec_.height, spec_.width, spec_.fit);
            params.resized_height = static_cast<int>(resize.height),
            params.resized_width = static_cast<int>(resize.width);
            params.crop_top = static_cast<int>(resize.top),
            params.crop_left = static_cast<int>(resize.left);
            params.mean_r = spec_.mean[0], params.mean_g = spec_.mean[1],
            params.mean_b = spec_.mean[2];
            result.push_back(params);
        }
        slot.uploaded.record(gpu_->copy_stream());
        slot.uploaded.hold(gpu_->stream());
        return result;
    }

    void pack_input(Slot& slot, const float* input, int count, size_t scales) {
        const size_t bytes =
            checked_size("the input", count, spec_.height, spec_.width, 3) * sizeof(float);
        slot.images.reserve(gpu_, bytes);
        copy(*gpu_, slot.images.as<>(), input, bytes, gpu_->stream());
        for (size_t i = 0; i < scales; ++i)
            pack(*gpu_,
                 spec_.precision,
                 {slot.images.as<const float>(),
                  count,
                  spec_.height,
                  spec_.width,
                  3,
                  networks_[i].layout()});
    }

    void compute(Slot& slot, int count, float* out) {
        slot.bytes = checked_size("the descriptors", count, rows_, dim()) * sizeof(float);
        clear_overflow();
        run_networks(count);
        copy(*gpu_, slot.overflow.as<>(), overflow_.as<>(), overflow_.bytes(), gpu_->stream());
        if (on_device(*gpu_, out)) {
            copy(*gpu_, out, out_.as<>(), slot.bytes, gpu_->stream());
        } else {
            slot.result.reserve(gpu_, slot.bytes);
            copy(*gpu_, slot.result.as<>(), out_.as<>(), slot.bytes, gpu_->stream());
            slot.target = out;
        }
        slot.done.record(gpu_->stream());
        slot.busy = true;
    }

    // Runs the first time as single launches, which loads the kernels; from the second on as a
    // graph.
    void run_networks(int count) {
        auto& graph = graphs_[count];
        if (!graph.ran) {
            for (Network& network : networks_) network.prepare(count, arena_.as<>());
            queue_networks(count);
            graph.ran = true;
            return;
        }
        if (!graph.recorded && !eager_) record(graph, count);
        if (eager_) return queue_networks(count);
        graph.recorded->launch();
    }

    // What else the process does with CUDA can make a recording fail; the work does not depend on
    // it.
    void record(Recorded& graph, int count) {
        try {
            graph.recorded = std::make_unique<Graph>(gpu_, [&] { queue_networks(count); });
        } catch (const Error& error) {
            if (error.status() != MIRROR_E_CUDA) throw;
            log(MIRROR_LOG_WARNING,
                text("no CUDA graph, launching kernel by kernel: ", error.what()));
            eager_ = true;
        }
    }

    void queue_networks(int count) {
        int64_t row = 0;
        for (size_t i = 0; i < networks_.size(); ++i) {
            networks_[i].run(count, arena_.as<>());
            const PlanTensor& map = networks_[i].output();
            RegionPoolParams params{};
            params.x = networks_[i].map(arena_.as<>());
            params.y = out_.as<float>() + row * map.channels;
            params.regions = regions_[i].as<const Region>();
            params.y_image_stride = rows_ * map.channels;
            params.n = count, params.h = map.height, params.w = map.width;
            params.c = map.channels, params.x_pitch = map.stride;
            params.count = static_cast<int>(spec_.regions[i].size());
            params.pool = spec_.pool, params.gem_p = spec_.gem_p;
            region_pool(*gpu_, spec_.precision, params);
            row += params.count;
        }
    }

    std::shared_ptr<const Gpu> gpu_;
    const PipelineSpec spec_;
    WeightStore weights_;
    std::vector<Network> networks_;  // per scale
    std::vector<DeviceBuffer> regions_;
    DeviceBuffer arena_, out_;
    DeviceBuffer overflow_;  // one word, see Conv2dParams
    std::vector<std::unique_ptr<Slot>> slots_;
    std::map<int, Recorded> graphs_;  // by number of images
    int64_t rows_ = 0;                // regions over all scales
    int turn_ = 0;
    bool eager_ = false;
};

}  // namespace

std::unique_ptr<Pipeline> make_pipeline(std::shared_ptr<const Gpu> gpu, PipelineSpec spec) {
    return std::make_unique<CudaPipeline>(std::move(gpu), std::move(spec));
}

}  // namespace mirror::cuda
