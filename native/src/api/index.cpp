// Index: mirror_index_*.
#include "retrieval/index.h"

#include "api/handles.h"
#include "base/checked.h"

using namespace mirror;

extern "C" {

void mirror_search_options_init(mirror_search_options* options) {
    if (options)
        *options = {sizeof *options, 200, MIRROR_SIMILARITY_PR_MAC, MIRROR_METRIC_DOT, nullptr};
}

mirror_status mirror_index_create(
    mirror_index** out, mirror_device* device, int32_t regions, int32_t dim, int32_t precision) {
    return guard([&] {
        checked(out, "out") = nullptr;
        *out = new mirror_index(
            std::make_shared<Index>(checked(device, "device").object, regions, dim, precision));
    });
}

void mirror_index_destroy(mirror_index* index) {
    delete index;
}

mirror_status mirror_index_add(mirror_index* index, const float* rows, int64_t count) {
    return guard([&] {
        Index& target = *checked(index, "index").object;
        require(count >= 0, "count is ", count, ", expected >= 0");
        if (count > 0) target.add(&checked(rows, "rows"), count);
    });
}

mirror_status mirror_index_size(const mirror_index* index, int64_t* out) {
    return guard([&] { checked(out, "out") = checked(index, "index").object->size(); });
}

mirror_status mirror_index_search(const mirror_index* index,
                                  const float* queries,
                                  int64_t count,
                                  const mirror_search_options* options,
                                  int32_t* ids,
                                  float* scores) {
    return guard([&] {
        const Index& source = *checked(index, "index").object;
        require(count >= 0, "count is ", count, ", expected >= 0");
        if (count > 0) {
            checked(queries, "queries");
            checked(ids, "ids");
            checked(scores, "scores");
        }
        source.search(queries, count, checked_struct(options, "options"), ids, scores);
    });
}

void mirror_expand_options_init(mirror_expand_options* options) {
    if (options) *options = {sizeof *options, 5, 1.0, MIRROR_PAIRING_SAME, 0};
}

mirror_status mirror_index_expand(const mirror_index* index,
                                  const float* queries,
                                  int64_t count,
                                  const int32_t* ids,
                                  const float* scores,
                                  int32_t k,
                                  const mirror_expand_options* options,
                                  float* out) {
    return guard([&] {
        const Index& source = *checked(index, "index").object;
        require(count >= 0, "count is ", count, ", expected >= 0");
        const mirror_expand_options& expansion = checked_struct(options, "options");
        if (count == 0) return;
        source.expand(&checked(queries, "queries"),
                      count,
                      &checked(ids, "ids"),
                      &checked(scores, "scores"),
                      k,
                      expansion,
                      &checked(out, "out"));
    });
}

}  // extern "C"
