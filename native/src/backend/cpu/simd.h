// Inner loops in three builds (AVX-512, AVX2, baseline), chosen when the library is loaded: the
// library itself is compiled for any x86-64. Plain loops elsewhere, and under sanitizers, whose
// start-up code must run before the choice could.
#pragma once

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__linux__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define MIRROR_SIMD __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define MIRROR_SIMD
#endif
