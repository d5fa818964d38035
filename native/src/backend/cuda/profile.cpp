#include "backend/cuda/profile.h"

#include <algorithm>

#include "backend/cuda/graph.h"
#include "backend/cuda/launchers.h"
#include "backend/cuda/memory.h"
#include "base/checked.h"

namespace mirror::cuda {

double time_on(const std::shared_ptr<const Gpu>& gpu,
               int rounds,
               const std::function<void()>& work) {
    const Event start(gpu), end(gpu);
    std::vector<double> seconds;
    work();
    for (int i = 0; i < rounds; ++i) {
        start.record(gpu->stream());
        work();
        end.record(gpu->stream());
        end.wait();
        float milliseconds = 0;
        MIRROR_CU(*gpu, cuEventElapsedTime, &milliseconds, start.handle(), end.handle());
        seconds.push_back(milliseconds * 1e-3);
    }
    std::nth_element(seconds.begin(), seconds.begin() + rounds / 2, seconds.end());
    return seconds[static_cast<size_t>(rounds / 2)];
}

NetworkProfile profile_network(const std::shared_ptr<const Gpu>& gpu,
                               const std::shared_ptr<const Plan>& plan,
                               int32_t precision,
                               Family family,
                               const std::vector<float>& input,
                               int rounds) {
    const Gpu::Scope scope(*gpu);
    WeightStore weights(gpu, plan->model, precision);
    Network network(gpu, plan, precision, family, 0, weights, nullptr);
    const DeviceBuffer arena(
        gpu, checked_size("the arena", plan->arena_elements, element_bytes(precision)));
    MIRROR_CU(*gpu, cuMemsetD8Async, arena.address(), 0, arena.bytes(), gpu->stream());
    network.prepare(plan->batch, arena.as<>());
    DeviceBuffer pixels(gpu, input.size() * sizeof(float));
    copy(*gpu, pixels.as<>(), input.data(), pixels.bytes(), gpu->stream());
    pack(*gpu,
         precision,
         {pixels.as<const float>(), plan->batch, plan->height, plan->width, 3, network.layout()});

    NetworkProfile result;
    for (size_t i = 0; i < network.size(); ++i) {
        LayerTime time = network.describe(i, plan->batch);
        time.seconds =
            time_on(gpu, rounds, [&] { network.run_step(i, plan->batch, arena.as<>()); });
        result.layers.push_back(time);
    }
    // A residual was added once a round: the whole network again, from its input.
    const auto run = [&] { network.run(plan->batch, arena.as<>()); };
    if (graphs_wanted()) {
        const Graph graph(gpu, run);
        result.seconds = time_on(gpu, rounds, [&] { graph.launch(); });
    } else {
        result.seconds = time_on(gpu, rounds, run);
    }

    const PlanTensor& map = network.output();
    const int64_t rows = static_cast<int64_t>(plan->batch) * map.height * map.width;
    result.output.resize(checked_size("the map", rows, map.channels));
    const DeviceBuffer dense(gpu, result.output.size() * sizeof(float));
    unpack(*gpu,
           precision,
           {network.map(arena.as<>()), dense.as<float>(), rows, map.stride, map.channels});
    copy(*gpu, result.output.data(), dense.as<>(), dense.bytes(), gpu->stream());
    gpu->synchronize();
    return result;
}

}  // namespace mirror::cuda
