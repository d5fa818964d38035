#!/usr/bin/env bash
# One network under Nsight Compute (every kernel: occupancy, stalls, memory, source lines) and Nsight Systems (timeline,
# with the kernels' names as NVTX ranges), as far as they are installed. Build first: scripts/gpu-check.sh --only build.
# A replayed graph has no ranges in it: MIRROR_GRAPHS=0 launches kernel by kernel instead.
#
# usage: [MIRROR_KERNELS=wgmma] [MIRROR_GRAPHS=0] scripts/profile.sh NETWORK SIZE BATCH [KERNELS]
#   e.g. resnet-50 896 8 conv2d
#   KERNELS: a part of the names that Nsight Compute looks at (default: all; that takes minutes)
# BUILD=FOLDER chooses another build folder than build/gpu; reports go to its folder profile.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -ge 3 ] || { sed -n '6,9s/^# //p' "$0" >&2 && exit 2; }

build=${BUILD:-build/gpu}
tests=$build/tests/native/mirror_tests
[ -x "$tests" ] || { echo "profile: no $tests; build it with: scripts/gpu-check.sh --only build" >&2 && exit 1; }
family=${MIRROR_KERNELS:-mma}
report=$build/profile/$1-$2-$3-$family
mkdir -p "$build/profile"
bench=("$tests" --device cuda --bench --nets "$1" --sizes "$2" --batches "$3" --families "$family" --rounds 1
    --layers 1)

find_tool() {
    local cuda=${CUDA_HOME:-/usr/local/cuda}
    command -v "$1" || { [ ! -x "$cuda/bin/$1" ] || echo "$cuda/bin/$1"; }
}
ncu=$(find_tool ncu)
nsys=$(find_tool nsys)

failed=0
# ran NAME STATUS REPORT VIEWERS: what became of it; neither keeps the other from running.
ran() {
    if [ "$2" = 0 ]; then
        echo "✓ $3: open with $4"
    else
        echo "✗ $1 ended with status $2"
        failed=1
    fi
}

# The clocks stay as they are, so times are those of the benchmark; compare rates with the clock that ncu reports.
ncu_status=0 nsys_status=0
if [ -n "$ncu" ]; then
    "$ncu" --set full --import-source yes --clock-control none --graph-profiling node \
        --kernel-name "regex:${4:-.}" --force-overwrite --export "$report" "${bench[@]}" || ncu_status=$?
fi
if [ -n "$nsys" ]; then
    "$nsys" profile --trace cuda,nvtx --cuda-graph-trace node --force-overwrite true --output "$report" \
        "${bench[@]}" || nsys_status=$?
fi

if [ -z "$ncu" ]; then
    echo "✗ ncu (Nsight Compute) is not installed"
else
    ran ncu "$ncu_status" "$report.ncu-rep" "ncu-ui, or: ncu --import $report.ncu-rep --page details"
    [ "$ncu_status" = 0 ] ||
        echo "  ERR_NVGPUCTRPERM above: run as root, or see https://developer.nvidia.com/ERR_NVGPUCTRPERM"
fi
if [ -z "$nsys" ]; then
    echo "✗ nsys (Nsight Systems) is not installed"
else
    ran nsys "$nsys_status" "$report.nsys-rep" "nsys-ui, or: nsys stats $report.nsys-rep"
fi
[ -n "$ncu$nsys" ] && [ "$failed" = 0 ]
