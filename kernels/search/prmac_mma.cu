// Entries of prmac_mma.cuh. One block per SM: 144 accumulators a thread need all the registers.
#include "search/prmac_mma.cuh"

extern "C" __global__ void __launch_bounds__(Prmac_128::THREADS, 1) prmac_mma_f16_35x256_128(const ScoreParams p) {
    prmac_mma::scores<Prmac_128>(p);
}
extern "C" __global__ void __launch_bounds__(Prmac_64::THREADS, 1) prmac_mma_f16_35x256_64(const ScoreParams p) {
    prmac_mma::scores<Prmac_64>(p);
}
