// LAPACK's status codes as exceptions. Included by builds with the CPU libraries only.
#pragma once

#include <lapacke.h>

#include <new>

#include "base/error.h"

namespace mirror {

inline void check_lapack(lapack_int status, const char* routine) {
    if (status == LAPACK_WORK_MEMORY_ERROR || status == LAPACK_TRANSPOSE_MEMORY_ERROR)
        throw std::bad_alloc();
    if (status != 0) fail(MIRROR_E_INTERNAL, routine, " returned ", status);
}

}  // namespace mirror
