// Whitening: mirror_whitening_*.
#include "retrieval/whitening.h"

#include <algorithm>
#include <limits>

#include "api/handles.h"
#include "base/checked.h"
#include "retrieval/index.h"

using namespace mirror;

namespace {

void copy_out(const std::vector<double>& values, double* out) {
    if (out) std::copy(values.begin(), values.end(), out);
}

mirror_whitening* make_handle(Whitening&& whitening) {
    return new mirror_whitening(std::make_shared<const Whitening>(std::move(whitening)));
}

}  // namespace

extern "C" {

void mirror_whitening_options_init(mirror_whitening_options* options) {
    if (options) *options = {sizeof *options, 0, 0.0, MIRROR_SOLVER_EXACT, 0, nullptr};
}

mirror_status mirror_whitening_fit(mirror_whitening** out,
                                   mirror_device* device,
                                   const float* rows,
                                   int64_t count,
                                   int32_t dim,
                                   const mirror_whitening_options* options) {
    return guard([&] {
        checked(out, "out") = nullptr;
        *out = make_handle(Whitening::fit(*checked(device, "device").object,
                                          &checked(rows, "rows"),
                                          count,
                                          dim,
                                          checked_struct(options, "options")));
    });
}

mirror_status mirror_whitening_learn(mirror_whitening** out,
                                     mirror_device* device,
                                     const float* queries,
                                     const float* positives,
                                     int64_t count,
                                     int32_t dim,
                                     int32_t output_dim) {
    return guard([&] {
        checked(out, "out") = nullptr;
        *out = make_handle(Whitening::learn(*checked(device, "device").object,
                                            &checked(queries, "queries"),
                                            &checked(positives, "positives"),
                                            count,
                                            dim,
                                            output_dim));
    });
}

mirror_status mirror_whitening_create(mirror_whitening** out,
                                      const double* mean,
                                      const double* components,
                                      const double* variances,
                                      int32_t output_dim,
                                      int32_t input_dim) {
    return guard([&] {
        checked(out, "out") = nullptr;
        checked(mean, "mean");
        checked(components, "components");
        checked(variances, "variances");
        require_descriptor(1, input_dim);
        require(output_dim >= 1 && output_dim <= input_dim,
                "output_dim is ",
                output_dim,
                ", expected 1..",
                input_dim,
                " (input_dim)");
        const size_t size = checked_size("components", output_dim, input_dim);
        *out = make_handle(Whitening({mean, mean + input_dim},
                                     {components, components + size},
                                     {variances, variances + output_dim},
                                     std::numeric_limits<double>::quiet_NaN()));
    });
}

mirror_status mirror_whitening_load(mirror_whitening** out, const char* path) {
    return guard([&] {
        checked(out, "out") = nullptr;
        *out = make_handle(Whitening::load(&checked(path, "path")));
    });
}

mirror_status mirror_whitening_save(const mirror_whitening* whitening, const char* path) {
    return guard([&] { checked(whitening, "whitening").object->save(&checked(path, "path")); });
}

void mirror_whitening_destroy(mirror_whitening* whitening) {
    delete whitening;
}

mirror_status mirror_whitening_get_info(const mirror_whitening* whitening,
                                        mirror_whitening_info* out) {
    return guard([&] {
        const Whitening& source = *checked(whitening, "whitening").object;
        mirror_whitening_info& info = checked_struct(out, "out");
        info = {sizeof info, source.input_dim(), source.output_dim(), 0, source.explained()};
    });
}

mirror_status mirror_whitening_get(const mirror_whitening* whitening,
                                   double* mean,
                                   double* components,
                                   double* variances) {
    return guard([&] {
        const Whitening& source = *checked(whitening, "whitening").object;
        copy_out(source.mean(), mean);
        copy_out(source.components(), components);
        copy_out(source.variances(), variances);
    });
}

mirror_status mirror_whitening_apply(const mirror_whitening* whitening,
                                     mirror_device* device,
                                     const float* rows,
                                     int64_t count,
                                     float* out) {
    return guard([&] {
        const Whitening& source = *checked(whitening, "whitening").object;
        Backend& backend = *checked(device, "device").object;
        checked_size("rows", count, source.input_dim());
        if (count > 0) source.apply(backend, &checked(rows, "rows"), count, &checked(out, "out"));
    });
}

}  // extern "C"
