// Photographs in, regional descriptors out: options checked, networks planned for every scale,
// images cut into chunks of one batch. The work itself is the backend's pipeline. Where the
// device's memory does not hold a batch, the batch is halved, and that is logged.
#pragma once

#include <memory>
#include <vector>

#include "backend/backend.h"
#include "base/error.h"
#include "model/model.h"

namespace mirror {

class Extractor {
  public:
    // INVALID_ARGUMENT or NOT_FOUND naming the option and its value.
    Extractor(std::shared_ptr<Backend> backend,
              std::shared_ptr<const Model> model,
              const mirror_extractor_options& options);

    mirror_extractor_info info() const;

    // The three runs of mirror.h. Everything is checked before the first image is touched.
    void run(const mirror_image* images,
             int64_t count,
             float* out,
             const mirror_progress* progress);
    void run_input(const float* input, int64_t count, float* out, const mirror_progress* progress);
    void run_map(const float* input, int64_t count, float* out, const mirror_progress* progress);

  private:
    template <class Chunk>
    void in_chunks(int64_t count, const mirror_progress* progress, Chunk&& chunk);
    void plan(int batch);
    void make_pipeline(int wanted, std::string reason);
    bool halve_batch(const Error& error);

    std::shared_ptr<Backend> backend_;  // outlives the pipeline
    std::shared_ptr<const Model> model_;
    mirror_extractor_options options_;
    std::string layer_;
    int batch_ = 1;
    int64_t input_elements_ = 0;  // of one image
    int64_t row_elements_ = 0;    // R * D
    int64_t map_elements_ = 0;    // of one image, first scale
    mirror_extractor_info info_{};
    std::unique_ptr<Pipeline> pipeline_;
};

}  // namespace mirror
