// See extractor.h.
#include "extract/extractor.h"

#include <algorithm>
#include <cmath>

#include "base/checked.h"
#include "base/log.h"
#include "extract/image_check.h"
#include "plan/plan.h"
#include "retrieval/regions.h"

namespace mirror {
namespace {

constexpr int max_batch = 1024;

// Side of a scale: every 2^scale-th pixel, the first one included.
int scaled(int side, int scale) {
    return static_cast<int>((int64_t{side} + (1 << scale) - 1) >> scale);
}

// Of the whole picture always three scales, as its regions are always as many.
int whole_scale_count(const mirror_extractor_options& options,
                      const Graph& graph,
                      const std::string& layer) {
    const int height = scaled(options.height, 2), width = scaled(options.width, 2);
    const int smallest = min_size(graph, layer);
    require(height >= smallest && width >= smallest,
            "multi_scale with an input of ",
            options.width,
            " x ",
            options.height,
            " pixels: a quarter of it is ",
            width,
            " x ",
            height,
            ", but ",
            graph.network(),
            " needs at least ",
            smallest,
            " x ",
            smallest);
    return 3;
}

// How often the original halves the input: 224 not at all, 448 once, 896 and 1024 twice.
int scale_count(const mirror_extractor_options& options,
                const Graph& graph,
                const std::string& layer) {
    require(options.multi_scale == 0 || options.multi_scale == 1,
            "multi_scale is ",
            options.multi_scale,
            ", expected 0 or 1");
    if (!options.multi_scale) return 1;
    if (options.fit == MIRROR_FIT_WHOLE) return whole_scale_count(options, graph, layer);
    if (options.width == options.height) switch (options.width) {
            case 224:
                return 1;
            case 448:
                return 2;
            case 896:
            case 1024:
                return 3;
            default:
                break;
        }
    fail(MIRROR_E_INVALID_ARGUMENT,
         "multi_scale with an input of ",
         options.width,
         " x ",
         options.height,
         ", expected a square of 224, 448, 896 or 1024 pixels, or fit 1 (whole)");
}

const char* precision_name(int32_t precision) {
    constexpr const char* names[] = {"fp32", "bf16", "fp16"};
    return names[precision];
}

void check(const mirror_extractor_options& options, const mirror_device_info& device) {
    require(options.batch >= 1 && options.batch <= max_batch,
            "batch is ",
            options.batch,
            ", expected 1 to ",
            max_batch);
    require(
        options.precision >= MIRROR_PRECISION_FP32 && options.precision <= MIRROR_PRECISION_FP16,
        "precision is ",
        options.precision,
        ", expected 0 (fp32), 1 (bf16) or 2 (fp16)");
    require(device.precisions >> options.precision & 1,
            "precision ",
            precision_name(options.precision),
            " is not supported by device ",
            device.name,
            "; use fp32");
    require_pooling(options.pool, options.gem_p);
    require_fit(options.fit);
    require(options.step_count >= 1 && options.step_count <= MIRROR_MAX_STEPS,
            "step_count is ",
            options.step_count,
            ", expected 1 to ",
            MIRROR_MAX_STEPS);
    for (float mean : options.mean)
        require(std::isfinite(mean), "mean is ", mean, ", expected a finite number");
}

}  // namespace

Extractor::Extractor(std::shared_ptr<Backend> backend,
                     std::shared_ptr<const Model> model,
                     const mirror_extractor_options& options)
    : backend_(std::move(backend)),
      model_(std::move(model)),
      options_(options),
      layer_(options.layer ? options.layer : ""),
      batch_(options.batch) {
    check(options, backend_->info());
    make_pipeline(batch_, "");
}

// wanted: the batch before `reason` had it halved, if it did.
void Extractor::make_pipeline(int wanted, std::string reason) {
    for (bool made = false; !made;) {
        try {
            plan(batch_);
            made = true;
        } catch (const Error& error) {
            if (!halve_batch(error)) throw;
            reason = error.what();
        }
    }
    if (batch_ != wanted)
        log(MIRROR_LOG_WARNING,
            text("a batch of ",
                 wanted,
                 " images does not fit, going on with ",
                 batch_,
                 ": ",
                 reason));
}

// Where the device ran out of memory and there is something to halve.
bool Extractor::halve_batch(const Error& error) {
    if (error.status() != MIRROR_E_OUT_OF_MEMORY || batch_ == 1) return false;
    if (pipeline_) pipeline_->finish();  // what earlier chunks computed is delivered
    batch_ /= 2;
    return true;
}

void Extractor::plan(int batch) {
    pipeline_.reset();
    const mirror_extractor_options& options = options_;
    const std::span steps(options.steps, static_cast<size_t>(options.step_count));
    PipelineSpec spec;
    spec.batch = batch;
    spec.height = options.height;
    spec.width = options.width;
    std::copy(std::begin(options.mean), std::end(options.mean), spec.mean);
    spec.precision = options.precision;
    spec.pool = options.pool;
    spec.gem_p = options.gem_p;
    spec.fit = options.fit;
    info_ = {};
    info_.struct_size = sizeof info_;
    info_.scales = scale_count(options, model_->graph(), layer_);
    for (int scale = 0; scale < info_.scales; ++scale) {
        const auto plan = make_plan(model_,
                                    batch,
                                    scaled(options.height, scale),
                                    scaled(options.width, scale),
                                    layer_,
                                    backend_->channel_alignment(options.precision));
        const PlanTensor& map = plan->tensors[static_cast<size_t>(plan->output)];
        spec.plans.push_back(plan);
        spec.regions.push_back(region_layout(map.height, map.width, options.fit, steps));
        info_.regions += static_cast<int32_t>(spec.regions.back().size());
        info_.flops += plan->flops;
        if (scale > 0) continue;
        info_.dim = map.channels;
        info_.map_height = map.height;
        info_.map_width = map.width;
        info_.layers = static_cast<int32_t>(plan->operations.size());
    }
    input_elements_ =
        static_cast<int64_t>(checked_size("the input", options.height, options.width, 3));
    map_elements_ =
        static_cast<int64_t>(checked_size("the map", info_.map_height, info_.map_width, info_.dim));
    row_elements_ = static_cast<int64_t>(checked_size("the descriptors", info_.regions, info_.dim));
    pipeline_ = backend_->make_pipeline(std::move(spec));
}

mirror_extractor_info Extractor::info() const {
    mirror_extractor_info result = info_;
    result.images_at_once = batch_;
    if (pipeline_) {
        result.images_at_once = pipeline_->preferred();
        result.arena_bytes = pipeline_->arena_bytes();
        result.weight_bytes = pipeline_->weight_bytes();
    }
    return result;
}

template <class Chunk>
void Extractor::in_chunks(int64_t count, const mirror_progress* progress, Chunk&& chunk) {
    require(count >= 0, "count is ", count, ", expected >= 0");
    const Progress report(progress, count);
    if (!pipeline_) make_pipeline(batch_, "");
    // Results of earlier chunks may still be on their way while the next one starts.
    try {
        for (int64_t start = 0; start < count;) {
            report.report(start);
            const auto size =
                static_cast<int>(std::min<int64_t>(pipeline_->capacity(), count - start));
            try {
                chunk(start, size);
                start += size;
            } catch (const Error& error) {
                const int wanted = batch_;
                if (!halve_batch(error)) throw;
                make_pipeline(wanted, error.what());
            }
        }
        pipeline_->finish();
    } catch (...) {
        if (pipeline_) pipeline_->drop();
        throw;
    }
    report.report(count);
}

void Extractor::run(const mirror_image* images,
                    int64_t count,
                    float* out,
                    const mirror_progress* progress) {
    for (int64_t i = 0; i < count; ++i) {
        check_image(images[i], text("images[", i, "]"));
        backend_->check_pointers(images[i].data);
    }
    if (count > 0) backend_->check_pointers(out);
    in_chunks(count, progress, [&](int64_t start, int size) {
        pipeline_->run_images(images + start, size, out + start * row_elements_);
    });
}

void Extractor::run_input(const float* input,
                          int64_t count,
                          float* out,
                          const mirror_progress* progress) {
    if (count > 0) backend_->check_pointers(input, out);
    in_chunks(count, progress, [&](int64_t start, int size) {
        pipeline_->run_input(input + start * input_elements_, size, out + start * row_elements_);
    });
}

void Extractor::run_map(const float* input,
                        int64_t count,
                        float* out,
                        const mirror_progress* progress) {
    if (count > 0) backend_->check_pointers(input, out);
    in_chunks(count, progress, [&](int64_t start, int size) {
        pipeline_->run_map(input + start * input_elements_, size, out + start * map_elements_);
    });
}

}  // namespace mirror
