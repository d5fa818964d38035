// LAPACK's sizes and status codes, failures as exceptions. Included by builds with the CPU
// libraries only.
#pragma once

#include <lapacke.h>

#include <cstdint>
#include <limits>
#include <new>

#include "base/error.h"

namespace mirror {

// INVALID_ARGUMENT where LAPACK cannot count so far.
inline lapack_int lapack_size(const char* what, int64_t size) {
    constexpr int64_t limit = std::numeric_limits<lapack_int>::max();
    require(size <= limit, what, " is ", size, ", but LAPACK counts to ", limit);
    return static_cast<lapack_int>(size);
}

inline void check_lapack(lapack_int status, const char* routine) {
    if (status == LAPACK_WORK_MEMORY_ERROR || status == LAPACK_TRANSPOSE_MEMORY_ERROR)
        throw std::bad_alloc();
    if (status != 0) fail(MIRROR_E_INTERNAL, routine, " returned ", status);
}

}  // namespace mirror
