#!/usr/bin/env bash
# Runs every test runner on what `build.sh build` built, goes on after a failure, and ends with one line that
# sums them: "N passed, N failed, N skipped". The exit status is non-zero where anything failed or did not run.
set -uo pipefail
cd "$(dirname "$0")/.."

passed=0 failed=0 skipped=0 broken=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# add NAME SED: reads "passed failed skipped" off the log through a sed command; a runner that printed none is broken.
add() {
    local counts p f s
    counts=$(sed -nE "$2" "$log" | awk '{p += $1; f += $2; s += $3; n = 1} END {if (n) print p, f, s}')
    if [ -z "$counts" ]; then
        echo "✗ $1 printed no result" >&2
        broken=1
        return
    fi
    read -r p f s <<<"$counts"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

run() { # NAME SED COMMAND...
    local name=$1 counter=$2 status
    shift 2
    echo "== $name"
    "$@" 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    local before=$failed
    add "$name" "$counter"
    if [ "$status" -ne 0 ] && [ "$failed" -eq "$before" ]; then
        echo "✗ $name ended with status $status" >&2
        broken=1
    fi
}

aot_smoke() {
    dotnet publish tests/Mirror.AotSmoke -c Release --nologo -v quiet -o artifacts/aot && artifacts/aot/Mirror.AotSmoke \
        && echo "1 passed, 0 failed, 0 skipped" || echo "0 passed, 1 failed, 0 skipped"
}

# In the folder of the program, where it leaves its scratch files.
native_tests() { (cd "build/$1/tests/native" && ./mirror_tests); }

own='s/^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$/\1 \2 \3/p'
vstest='s/^[A-Z][a-z]+! +- Failed: +([0-9]+), Passed: +([0-9]+), Skipped: +([0-9]+),.*$/\2 \1 \3/p'

# The same tests, and the whole CUDA backend under them, on the emulated GPU: PRESET SETTING=VALUE... [-- FILTER...]
emulated_tests() {
    local preset=$1 settings=() driver=$PWD/build/release/tests/simt/libcuda_simt.so
    shift
    while [ $# -gt 0 ] && [ "$1" != -- ]; do settings+=("$1") && shift; done
    [ $# -eq 0 ] || shift
    (cd "build/$preset/tests/native" && env MIRROR_CUDA_DRIVER="$driver" "${settings[@]}" ./mirror_tests --device cuda "$@")
}
simt() { (cd build/release/tests/simt && "./$1"); }

run "native tests" "$own" native_tests release
run "kernels in the emulator, under UndefinedBehaviorSanitizer" "$own" simt simt_tests
run "kernels with planted bugs" "$own" simt simt_mutations
run "native tests on an emulated sm_80, late" "$own" emulated_tests release MIRROR_SIMT_ARCH=80 MIRROR_SIMT_TIMING=late MIRROR_SIMT_LATE_PAGEABLE=1
run "native tests on an emulated sm_90, early, Hopper kernels" "$own" emulated_tests release \
    MIRROR_SIMT_ARCH=90 MIRROR_SIMT_TIMING=early MIRROR_SIMT_SEED=7 MIRROR_KERNELS=wgmma
run "search and whitening by an emulated cuBLAS" "$own" emulated_tests release \
    MIRROR_KERNELS=cublas "MIRROR_CUBLAS=$PWD/build/release/tests/simt/libcuda_simt.so" -- Search_ Whitening Cuda_Half Cuda_Cov
run "the command on an emulated GPU" "$own" scripts/emulated-match.sh
run "kernel resources, every architecture" "$own" scripts/kernel-report.sh build/release
run "C11 header and C++ sample" "$own" scripts/ctest.sh release
cmake --preset asan -Wno-dev >/dev/null && cmake --build --preset asan --target mirror_tests || broken=1
# oneDNN and OpenBLAS keep process-wide caches that LeakSanitizer cannot tell from leaks.
ASAN_OPTIONS=detect_leaks=0 run "native tests under AddressSanitizer and UndefinedBehaviorSanitizer" "$own" native_tests asan
ASAN_OPTIONS=detect_leaks=0 run "CUDA backend under the sanitizers" "$own" emulated_tests asan \
    MIRROR_SIMT_TIMING=late -- Cuda_ Search_T Search_S Extractor_W Extractor_Run Whitening Conv2d_Bad Rows
run "native AOT" "$own" aot_smoke
for project in Mirror.Interop.Tests Mirror.Tests; do
    run "$project" "$vstest" dotnet test "tests/$project" -c Release --nologo -v quiet --logger "console;verbosity=minimal"
done

[ "$broken" -eq 0 ] || failed=$((failed + 1))
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
