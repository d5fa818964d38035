// CUDA graphs: a sequence of launches, recorded once and replayed at the cost of one.
#pragma once

#include <cstdlib>
#include <memory>
#include <string_view>

#include "backend/cuda/gpu.h"

namespace mirror::cuda {

// Not with MIRROR_GRAPHS=0 or MIRROR_SYNC=1, for tools that want to see single launches.
inline bool graphs_wanted() {
    const auto is = [](const char* name, std::string_view value) {
        const char* set = std::getenv(name);
        return set && set == value;
    };
    return !is("MIRROR_GRAPHS", "0") && !is("MIRROR_SYNC", "1");
}

// The kernels that `record` launches; it must do nothing else.
class Graph {
  public:
    template <class Body>
    Graph(std::shared_ptr<const Gpu> gpu, Body&& record) : gpu_(std::move(gpu)) {
        Gpu::Recording recording(*gpu_);
        record();
        const CUgraph graph = recording.end();
        const CUresult status = gpu_->driver().cuGraphInstantiateWithFlags(&exec_, graph, 0);
        gpu_->driver().cuGraphDestroy(graph);
        gpu_->check(status, "cuGraphInstantiateWithFlags");
    }
    ~Graph() {
        if (!gpu_->push()) return;
        gpu_->driver().cuGraphExecDestroy(exec_);
        gpu_->pop();
    }
    Graph(const Graph&) = delete;
    void launch() const { MIRROR_CU(*gpu_, cuGraphLaunch, exec_, gpu_->stream()); }

  private:
    std::shared_ptr<const Gpu> gpu_;
    CUgraphExec exec_ = nullptr;
};

}  // namespace mirror::cuda
