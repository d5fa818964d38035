#!/usr/bin/env bash
# One network under Nsight Compute (every kernel: occupancy, stalls, memory, source lines) and Nsight Systems (timeline,
# with the kernels' names as NVTX ranges), as far as they are installed. Build first: scripts/gpu-check.sh --only build.
#
# usage: [MIRROR_KERNELS=wgmma] scripts/profile.sh NETWORK SIZE BATCH [KERNELS]     e.g. resnet-50 896 8 conv2d
#   KERNELS: a part of the names that Nsight Compute looks at (default: all; that takes minutes)
# BUILD=FOLDER chooses another build folder than build/gpu; reports go to its folder profile.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -ge 3 ] || { sed -n '5,7s/^# //p' "$0" >&2 && exit 2; }

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

# The clocks stay as they are, so times are those of the benchmark; compare rates with the clock that ncu reports.
if [ -n "$ncu" ]; then
    "$ncu" --set full --import-source yes --clock-control none --graph-profiling node \
        --kernel-name "regex:${4:-.}" --force-overwrite --export "$report" "${bench[@]}"
    echo "✓ $report.ncu-rep: open with ncu-ui, or: ncu --import $report.ncu-rep --page details"
else
    echo "✗ ncu (Nsight Compute) is not installed"
fi
if [ -n "$nsys" ]; then
    "$nsys" profile --trace cuda,nvtx --cuda-graph-trace node --force-overwrite true --output "$report" "${bench[@]}"
    echo "✓ $report.nsys-rep: open with nsys-ui, or: nsys stats $report.nsys-rep"
else
    echo "✗ nsys (Nsight Systems) is not installed"
fi
[ -n "$ncu$nsys" ]
