#!/usr/bin/env bash
# The command on the emulated GPU: `mirror match` gives the pairs of the CPU, in half precision nearly, and `mirror info`
# lists the GPU and its kernels.
# Prints what every runner does last: N passed, N failed, N skipped.
set -uo pipefail
cd "$(dirname "$0")/.."
mirror=$PWD/artifacts/mirror/mirror driver=$PWD/build/release/tests/simt/libcuda_simt.so
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

check() { # NAME COMMAND...
    local name=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "✗ $name"
    fi
}

match() { # NAME DEVICE OPTIONS...
    local name=$1 device=$2
    shift 2
    "$mirror" match --images samples/photos --out "$work/$name" --device "$device" --size 224 --json "$@" \
        >"$work/$name.json" 2>"$work/$name.log" || { cat "$work/$name.log" && return 1; }
}
on_gpu() { MIRROR_CUDA_DRIVER=$driver MIRROR_SIMT_ARCH=90 "$@"; }

# The same pairs in any order of equal scores, scores within 1e-4.
same_pairs() {
    awk '{ key = $1 " " $2 } NR == FNR { score[key] = $3; n++; next }
         !(key in score) || (d = score[key] - $3) > 1e-4 || d < -1e-4 { print "differs:", $0; bad = 1 }
         END { exit bad || n != FNR || n == 0 }' "$work/cpu/pairs.txt" "$work/cuda/pairs.txt"
}

# Of the 20 best pairs at least 18 are among the 30 best in half precision; no score is off by more than 5e-3.
near_pairs() {
    awk '{ key = $1 " " $2 } NR == FNR { score[key] = $3; n = FNR; if (FNR <= 30) best[key]; next }
         FNR <= 20 { kept += key in best }
         !(key in score) || (d = score[key] - $3) > 5e-3 || d < -5e-3 { print "differs:", $0; bad = 1 }
         END { if (kept < 18) print kept + 0, "of the 20 best pairs are among the 30 best in half precision"
               exit bad || kept < 18 || n != FNR }' "$work/half/pairs.txt" "$work/cpu/pairs.txt"
}

# The CPU searches in fp32 only: one line says so. The descriptors of the first check serve again.
refused() {
    local status=0
    match cpu cpu --search-precision fp16 >"$work/refused" || status=$?
    [ "$status" -ne 0 ] && [ "$(grep -c '^mirror: ' "$work/refused")" -eq 1 ] && grep -q '^mirror: .*fp16' "$work/refused" ||
        { cat "$work/refused" && echo "status $status" && return 1; }
}

info_lists() {
    on_gpu "$mirror" info >"$work/info" && grep -q 'device: cuda:0  name: emulated GPU sm_90' "$work/info" &&
        grep -q 'name: CUDA driver  version: 12.4' "$work/info" && grep -q 'sm: 90 .*conv2d fp16: conv2d_f16_' "$work/info" ||
        { cat "$work/info" && return 1; }
}

# A launch of the second group of photographs fails: one line, status 1, and what was extracted stays.
lost() {
    local status=0
    MIRROR_SIMT_FAIL_LAUNCH=300 on_gpu "$mirror" extract --images samples/photos --out "$work/lost" --device cuda --size 224 \
        >"$work/lost.out" 2>"$work/lost.log" || status=$?
    kept=$(find "$work/lost" -name '*.npy' | wc -l)
    [ "$status" -eq 1 ] && grep -q 'CUDA_ERROR_ILLEGAL_ADDRESS' "$work/lost.log" && [ "$kept" -gt 0 ] && [ "$kept" -lt 24 ] ||
        { cat "$work/lost.log" && echo "status $status, $kept descriptors kept" && return 1; }
}
resumed() {
    on_gpu "$mirror" extract --images samples/photos --out "$work/lost" --device cuda --size 224 >/dev/null 2>"$work/resumed.log" &&
        grep -q "$kept of 24 descriptors are already in" "$work/resumed.log" ||
        { cat "$work/resumed.log" && return 1; }
}

check "mirror match --device cpu" match cpu cpu
check "mirror match --device cuda" on_gpu match cuda cuda
check "both give the same pairs" same_pairs
check "mirror match in fp16" on_gpu match half cuda --precision fp16 --search-precision fp16
check "fp16 gives nearly the same pairs" near_pairs
check "fp16 search on the CPU is refused" refused
check "a lost device keeps what was extracted" lost
check "the next run goes on from there" resumed
check "mirror info lists the GPU, its driver and kernels" info_lists
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
