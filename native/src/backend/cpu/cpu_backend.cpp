#include "backend/cpu/cpu_backend.h"

#include <omp.h>

namespace mirror {

CpuBackend::CpuBackend(int threads) : threads_(threads) {}

ThreadScope::ThreadScope(int threads) : previous_(omp_get_max_threads()) {
    omp_set_num_threads(threads);
}

ThreadScope::~ThreadScope() { omp_set_num_threads(previous_); }

}  // namespace mirror
