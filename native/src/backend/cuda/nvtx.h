// Named ranges on the timeline of Nsight Systems. Speaks the NVTX 3 injection protocol directly:
// where a profiler runs the process it names its library in NVTX_INJECTION64_PATH; without one a
// range costs a test of a pointer.
#pragma once

namespace mirror::cuda {

class NvtxRange {
  public:
    explicit NvtxRange(const char* name);
    ~NvtxRange();
    NvtxRange(const NvtxRange&) = delete;
};

}  // namespace mirror::cuda
