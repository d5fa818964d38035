// A planned network on oneDNN. Every operation of a plan becomes a step: one primitive, or one of
// our loops. Steps are compiled for an exact number of images, the full batch at once, a smaller
// last chunk when it first occurs; weights, arena and scratchpad are shared by all of them and by
// all scales.
#include <functional>
#include <map>
#include <new>
#include <unordered_map>

#include "backend/cpu/cpu_backend.h"
#include "backend/cpu/dnnl_util.h"
#include "backend/cpu/elementwise.h"
#include "backend/cpu/winograd.h"
#include "base/checked.h"
#include "plan/plan.h"

namespace mirror {
namespace {

using dnnl::memory;

// Uninitialised memory, aligned to pages. Grows, never shrinks; growing drops the contents.
class AlignedBuffer {
  public:
    void reserve(size_t bytes) {
        if (bytes <= size_) return;
        data_.reset();
        size_ = 0;
        data_.reset(static_cast<std::byte*>(::operator new(bytes, alignment)));
        size_ = bytes;
    }
    std::byte* data() const { return data_.get(); }
    size_t size() const { return size_; }

  private:
    static constexpr std::align_val_t alignment{4096};
    struct Deleter {
        void operator()(std::byte* data) const { ::operator delete(data, alignment); }
    };
    std::unique_ptr<std::byte, Deleter> data_;
    size_t size_ = 0;
};

// Convolution weights in the layouts that kernels asked for. Scales and chunk sizes mostly agree on
// one.
class WeightCache {
  public:
    WeightCache(std::shared_ptr<const Model> model, memory::data_type type)
        : model_(std::move(model)), type_(type) {}

    struct Entry {
        memory kernel;
        std::vector<float> bias;
    };

    Entry direct(const Operation& op,
                 const WindowShape& shape,
                 const dnnl::convolution_forward::primitive_desc& desc) {
        return get(op, desc.weights_desc(), [&](const auto& kernel, auto&& keep) {
            keep(dnnl_hwio(kernel.data(), shape));
        });
    }

    template <class T>
    Entry winograd(const Operation& op, const Winograd<T>& convolution) {
        return get(op, convolution.weights_desc(), [&](const auto& kernel, auto&& keep) {
            auto matrices = convolution.transform(kernel.data());
            keep(memory(convolution.plain_weights(), dnnl_engine(), matrices.data()));
        });
    }

    int64_t bytes() const { return bytes_; }
    memory::data_type type() const { return type_; }

  private:
    // source(kernel, keep) calls keep with the kernel in a layout that oneDNN can reorder.
    template <class Source>
    Entry get(const Operation& op, const memory::desc& layout, Source&& source) {
        auto& layouts = entries_[op.name];
        for (const Entry& entry : layouts)
            if (entry.kernel.get_desc() == layout) return entry;
        const ConvWeights folded = fold(*model_, op.source);
        dnnl::stream stream(dnnl_engine());
        Entry entry{memory(layout, dnnl_engine()), folded.bias};
        source(folded.kernel, [&](memory kernel) {
            dnnl::reorder(kernel, entry.kernel).execute(stream, kernel, entry.kernel);
            stream.wait();
        });
        bytes_ += static_cast<int64_t>(layout.get_size() + entry.bias.size() * sizeof(float));
        layouts.push_back(entry);
        return entry;
    }

    std::shared_ptr<const Model> model_;
    memory::data_type type_;
    std::unordered_map<std::string, std::vector<Entry>> entries_;
    int64_t bytes_ = 0;
};

// Memory the steps of one program work in.
struct Workspace {
    std::byte* arena = nullptr;
    std::byte* slice = nullptr;    // a result on its way into a channel slice
    std::byte* scratch = nullptr;  // oneDNN's and Winograd's
};

// One plan compiled for `count` images. T is the type of activations.
template <class T>
class Program {
  public:
    Program(const Plan& plan, int count, WeightCache& weights) : plan_(plan), count_(count) {
        steps_.reserve(plan.operations.size());
        for (const Operation& op : plan.operations) add_step(op, weights);
    }

    size_t scratch_bytes() const { return scratch_bytes_; }
    size_t slice_bytes() const { return slice_bytes_; }

    // input: [count, height, width, 3] of T; may lie anywhere.
    void run(const void* input, const Workspace& workspace) const {
        dnnl::stream stream(dnnl_engine());
        for (const Step& step : steps_) {
            const auto place = [&](int tensor) -> std::byte* {
                if (tensor == 0) return static_cast<std::byte*>(const_cast<void*>(input));
                return workspace.arena +
                       plan_.tensors[static_cast<size_t>(tensor)].offset * sizeof(T);
            };
            const auto* source = reinterpret_cast<const T*>(place(step.op->input));
            auto* target = reinterpret_cast<T*>(place(step.op->output));
            const PlanTensor& out = plan_.tensors[static_cast<size_t>(step.op->output)];
            const int64_t rows = static_cast<int64_t>(count_) * out.height * out.width;
            if (step.winograd) {
                dnnl_guard(step.op->name, [&] {
                    step.winograd->run(stream,
                                       source,
                                       step.weights.kernel,
                                       step.weights.bias.data(),
                                       target,
                                       out.stride,
                                       workspace.scratch);
                });
                continue;
            }
            T* dense = out.slice ? reinterpret_cast<T*>(workspace.slice) : target;
            if (step.op->kind == OperationKind::lrn)
                lrn_rows(source, rows, out.channels, step.op->lrn, dense);
            else
                execute(step, stream, source, dense, workspace.scratch);
            if (out.slice) copy_slice(dense, rows, out.channels, target, out.stride);
        }
    }

  private:
    struct Step {
        const Operation* op;
        dnnl::primitive primitive;  // empty for our own loops
        memory::desc source, target, scratch, bias;
        WeightCache::Entry weights;           // conv
        std::optional<Winograd<T>> winograd;  // instead of all but the weights
    };

    static void execute(
        const Step& step, dnnl::stream& stream, const T* source, T* target, std::byte* scratch) {
        dnnl_guard(step.op->name, [&] {
            const dnnl::engine& engine = dnnl_engine();
            std::unordered_map<int, memory> arguments = {
                {DNNL_ARG_SRC, memory(step.source, engine, const_cast<T*>(source))},
                {DNNL_ARG_DST, memory(step.target, engine, target)},
                {DNNL_ARG_SCRATCHPAD, memory(step.scratch, engine, scratch)}};
            if (step.op->kind == OperationKind::conv) {
                arguments.emplace(DNNL_ARG_WEIGHTS, step.weights.kernel);
                auto* bias = const_cast<float*>(step.weights.bias.data());
                arguments.emplace(DNNL_ARG_BIAS, memory(step.bias, engine, bias));
            }
            step.primitive.execute(stream, arguments);
            stream.wait();
        });
    }

    void add_step(const Operation& op, WeightCache& weights) {
        const PlanTensor& in = plan_.tensors[static_cast<size_t>(op.input)];
        const PlanTensor& out = plan_.tensors[static_cast<size_t>(op.output)];
        const WindowShape shape{count_, in.height, in.width, in.channels, out.channels, op.window};
        Step step{};
        step.op = &op;
        auto use = [&](const auto& desc) {
            step.source = desc.src_desc();
            step.target = desc.dst_desc();
            step.scratch = desc.scratchpad_desc();
            scratch_bytes_ = std::max(scratch_bytes_, step.scratch.get_size());
        };
        dnnl_guard(op.name, [&] {
            if (op.kind == OperationKind::conv) {
                // The sum of a residual is an epilogue of the direct kernel.
                if (!op.residual) step.winograd = Winograd<T>::make(shape, op.relu, op.name);
                if (step.winograd) {
                    step.weights = weights.winograd(op, *step.winograd);
                    scratch_bytes_ = std::max(scratch_bytes_, step.winograd->scratch_bytes());
                    return;
                }
                const auto desc = dnnl_conv(shape, op.relu, op.residual, weights.type(), op.name);
                use(desc);
                step.primitive = dnnl::convolution_forward(desc);
                step.bias = desc.bias_desc();
                step.weights = weights.direct(op, shape, desc);
            } else if (op.kind != OperationKind::lrn) {
                const int32_t pool =
                    op.kind == OperationKind::max_pool ? MIRROR_POOL_MAX : MIRROR_POOL_AVG;
                const auto desc = dnnl_pool(shape, pool, weights.type(), op.name);
                use(desc);
                step.primitive = dnnl::pooling_forward(desc);
            }
        });
        if (out.slice && !step.winograd)
            slice_bytes_ = std::max(
                slice_bytes_,
                checked_size("a slice", count_, out.height, out.width, out.channels) * sizeof(T));
        steps_.push_back(std::move(step));
    }

    const Plan& plan_;
    const int count_;
    std::vector<Step> steps_;
    size_t scratch_bytes_ = 0;
    size_t slice_bytes_ = 0;
};

template <class T>
class CpuPipeline final : public Pipeline {
  public:
    CpuPipeline(CpuBackend& backend, int threads, PipelineSpec spec)
        : backend_(backend),
          threads_(threads),
          spec_(std::move(spec)),
          weights_(spec_.plans[0]->model, dnnl_type(spec_.precision)),
          programs_(spec_.plans.size()) {
        const ThreadScope scope(threads_);
        size_t arena = 0, maps = 0;
        for (size_t scale = 0; scale < spec_.plans.size(); ++scale) {
            const Plan& plan = *spec_.plans[scale];
            const PlanTensor& map = plan.tensors[static_cast<size_t>(plan.output)];
            arena = std::max(arena, checked_size("the arena", plan.arena_elements, sizeof(T)));
            maps = std::max(
                maps,
                checked_size(
                    "maps", spec_.batch, map.height, map.width, map.channels, sizeof(float)));
            rows_ += static_cast<int64_t>(spec_.regions[scale].size());
            program(scale, spec_.batch);
        }
        arena_.reserve(arena);
        if constexpr (!std::is_same_v<T, float>) maps_.reserve(maps);
    }

    int capacity() const override { return spec_.batch; }

    void run_images(const mirror_image* images, int count, float* out) override {
        const auto pixels =
            static_cast<int64_t>(checked_size("the input", spec_.height, spec_.width, 3));
        input_.reserve(checked_size("the input", spec_.batch, pixels, sizeof(float)));
        auto* input = reinterpret_cast<float*>(input_.data());
        for (int i = 0; i < count; ++i)
            backend_.preprocess(
                images[i], spec_.height, spec_.width, spec_.fit, spec_.mean, input + i * pixels);
        run_input(input, count, out);
    }

    void run_input(const float* input, int count, float* out) override {
        const ThreadScope scope(threads_);
        int64_t row = 0;
        for (size_t scale = 0; scale < spec_.plans.size(); ++scale) {
            const float* map = run_scale(scale, input, count);
            const PlanTensor& tensor = output(scale);
            const auto& regions = spec_.regions[scale];
            backend_.region_pool(map,
                                 count,
                                 tensor.height,
                                 tensor.width,
                                 tensor.channels,
                                 regions,
                                 spec_.pool,
                                 spec_.gem_p,
                                 out + row * tensor.channels,
                                 rows_ * tensor.channels);
            row += static_cast<int64_t>(regions.size());
        }
    }

    void run_map(const float* input, int count, float* out) override {
        const ThreadScope scope(threads_);
        const float* map = run_scale(0, input, count);
        std::copy_n(map, map_elements(0, count), out);
    }

    int64_t arena_bytes() const override {
        return static_cast<int64_t>(arena_.size() + slice_.size() + scratch_.size());
    }
    int64_t weight_bytes() const override { return weights_.bytes(); }

  private:
    const PlanTensor& output(size_t scale) const {
        return spec_.plans[scale]->tensors[static_cast<size_t>(spec_.plans[scale]->output)];
    }

    int64_t map_elements(size_t scale, int count) const {
        const PlanTensor& map = output(scale);
        return static_cast<int64_t>(count) * map.height * map.width * map.channels;
    }

    const Program<T>& program(size_t scale, int count) {
        auto& found = programs_[scale][count];
        if (!found) {
            found = std::make_unique<Program<T>>(*spec_.plans[scale], count, weights_);
            scratch_.reserve(found->scratch_bytes());
            slice_.reserve(found->slice_bytes());
        }
        return *found;
    }

    // The feature map in float32, valid until the next run.
    const float* run_scale(size_t scale, const float* input, int count) {
        const Plan& plan = *spec_.plans[scale];
        const Program<T>& compiled = program(scale, count);
        auto* arena = reinterpret_cast<T*>(arena_.data());
        const void* start = input;
        // Float input at full size is read where it lies.
        if (scale > 0 || !std::is_same_v<T, float>) {
            T* first = arena + plan.tensors[0].offset;
            subsample(input, count, spec_.height, spec_.width, 1 << scale, first);
            start = first;
        }
        compiled.run(start, {arena_.data(), slice_.data(), scratch_.data()});
        const T* map = arena + output(scale).offset;
        if constexpr (std::is_same_v<T, float>) {
            return map;
        } else {
            auto* result = reinterpret_cast<float*>(maps_.data());
            convert(map, map_elements(scale, count), result);
            return result;
        }
    }

    CpuBackend& backend_;  // whoever owns the pipeline keeps it alive
    const int threads_;
    const PipelineSpec spec_;
    WeightCache weights_;
    std::vector<std::map<int, std::unique_ptr<Program<T>>>> programs_;  // per scale: by count
    AlignedBuffer arena_, slice_, scratch_, input_, maps_;
    int64_t rows_ = 0;  // regions over all scales
};

}  // namespace

std::unique_ptr<Pipeline> CpuBackend::make_pipeline(PipelineSpec spec) {
    if (spec.precision == MIRROR_PRECISION_BF16)
        return std::make_unique<CpuPipeline<bfloat16>>(*this, threads_, std::move(spec));
    return std::make_unique<CpuPipeline<float>>(*this, threads_, std::move(spec));
}

}  // namespace mirror
