// mirror_extractor_*: pointers checked here, values by Extractor.
#include "extract/extractor.h"

#include "api/handles.h"

namespace mirror {
namespace {

// Input and output of a run; with count 0 they may be NULL.
template <class In>
Extractor& checked_run(
    mirror_extractor* extractor, const In* in, const char* name, int64_t count, const float* out) {
    Extractor& object = *checked(extractor, "extractor").object;
    if (count > 0) {
        checked(in, name);
        checked(out, "out");
    }
    return object;
}

}  // namespace
}  // namespace mirror

extern "C" {

void mirror_extractor_options_init(mirror_extractor_options* options) {
    if (!options) return;
    *options = {};
    options->struct_size = sizeof *options;
    options->width = options->height = 896;
    options->batch = 1;
    options->precision = MIRROR_PRECISION_FP32;
    options->pool = MIRROR_POOL_MAX;
    options->fit = MIRROR_FIT_CROP;
    options->gem_p = 3;
    options->step_count = 3;
    options->steps[0] = 1;
    options->steps[1] = 3;
    options->steps[2] = 5;
    options->mean[0] = 124;
    options->mean[1] = 117;
    options->mean[2] = 104;
}

mirror_status mirror_extractor_create(mirror_extractor** out,
                                      mirror_device* device,
                                      const mirror_model* model,
                                      const mirror_extractor_options* options) {
    using namespace mirror;
    return guard([&] {
        checked(out, "out") = nullptr;
        *out =
            new mirror_extractor(std::make_shared<Extractor>(checked(device, "device").object,
                                                             checked(model, "model").object,
                                                             checked_struct(options, "options")));
    });
}

void mirror_extractor_destroy(mirror_extractor* extractor) {
    delete extractor;
}

mirror_status mirror_extractor_get_info(const mirror_extractor* extractor,
                                        mirror_extractor_info* out) {
    using namespace mirror;
    return guard([&] {
        const Extractor& object = *checked(extractor, "extractor").object;
        checked_struct(out, "out") = object.info();
    });
}

mirror_status mirror_extractor_run(mirror_extractor* extractor,
                                   const mirror_image* images,
                                   int64_t count,
                                   float* out,
                                   const mirror_progress* progress) {
    using namespace mirror;
    return guard([&] {
        checked_run(extractor, images, "images", count, out).run(images, count, out, progress);
    });
}

mirror_status mirror_extractor_run_input(mirror_extractor* extractor,
                                         const float* input,
                                         int64_t count,
                                         float* out,
                                         const mirror_progress* progress) {
    using namespace mirror;
    return guard([&] {
        checked_run(extractor, input, "input", count, out).run_input(input, count, out, progress);
    });
}

mirror_status mirror_extractor_run_map(mirror_extractor* extractor,
                                       const float* input,
                                       int64_t count,
                                       float* out,
                                       const mirror_progress* progress) {
    using namespace mirror;
    return guard([&] {
        checked_run(extractor, input, "input", count, out).run_map(input, count, out, progress);
    });
}

}  // extern "C"
