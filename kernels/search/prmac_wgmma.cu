#include "search/prmac_wgmma.cuh"

#if defined(MIRROR_SM90) || !defined(MIRROR_DEVICE_CODE)

// One block per multiprocessor: the database tile takes most of the shared memory.
extern "C" __global__ void __launch_bounds__(prmac_wgmma::kThreads, 1) prmac_wgmma_f16_35x256(const ScoreParams p) {
    prmac_wgmma::prmac(p);
}

#endif
