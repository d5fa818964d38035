// Times of a network, layer by layer and as the graph that a pipeline replays: what the benchmark
// prints.
#pragma once

#include <functional>
#include <vector>

#include "backend/cuda/network.h"

namespace mirror::cuda {

struct NetworkProfile {
    std::vector<LayerTime> layers;
    double seconds = 0;         // one replay of the recorded network, median of the rounds
    std::vector<float> output;  // [batch, h, w, c]
};

// plan->batch images of `input` [batch, h, w, 3] (mean already subtracted).
NetworkProfile profile_network(const std::shared_ptr<const Gpu>& gpu,
                               const std::shared_ptr<const Plan>& plan,
                               int32_t precision,
                               Family family,
                               const std::vector<float>& input,
                               int rounds);

// Seconds that `work` takes on gpu->stream(): the median of `rounds` after one run that does not
// count.
double time_on(const std::shared_ptr<const Gpu>& gpu,
               int rounds,
               const std::function<void()>& work);

}  // namespace mirror::cuda
