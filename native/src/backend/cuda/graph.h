// CUDA graphs: a sequence of launches, recorded once and replayed at the cost of one.
#pragma once

#include <memory>

#include "backend/cuda/gpu.h"

namespace mirror::cuda {

// What `record` queues on gpu->stream(); it must not wait for anything, allocate, or touch pageable
// memory.
class Graph {
  public:
    template <class Body>
    Graph(std::shared_ptr<const Gpu> gpu, Body&& record) : gpu_(std::move(gpu)) {
        MIRROR_CU(*gpu_, cuStreamBeginCapture_v2, gpu_->stream(), STREAM_CAPTURE_MODE_THREAD_LOCAL);
        CUgraph graph = nullptr;
        try {
            record();
        } catch (...) {  // a stream must not stay in capture
            gpu_->driver().cuStreamEndCapture(gpu_->stream(), &graph);
            if (graph) gpu_->driver().cuGraphDestroy(graph);
            throw;
        }
        MIRROR_CU(*gpu_, cuStreamEndCapture, gpu_->stream(), &graph);
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
