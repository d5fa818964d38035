#!/usr/bin/env bash
# Everything that only a machine with a GPU can tell, in one call of bounded time: build, the native tests with every
# family of kernels, the same under compute-sanitizer, benchmarks, and the same networks in PyTorch. Needs CMake, ninja,
# g++ and nvcc >= 12.4; compute-sanitizer, a python3 with PyTorch and the mirror command where they are present.
#
# usage: scripts/gpu-check.sh [OPTIONS]
#   --out FOLDER     results: check.json, bench.json, peer.json, log.txt (default BUILD/results)
#   --minutes N      for everything (default 10); steps that find no time left are skipped
#   --quick          build, tests, the command, and the benchmark of resnet-50 at 896 and of the search only
#   --only LIST      of build,test,match,sanitize,bench,peer: those parts alone, on what an earlier call left in BUILD
#   --build FOLDER   default build/gpu (build/emulate with --emulate)
#   --emulate        no GPU: the emulated driver of tests/simt, tiny sizes; tries the script itself
# Every step has a time limit of its own, and none stops the others. Ends with "N passed, N failed, N skipped" (steps);
# a sanitizer that runs out of time is a "timeout", none of the three.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

out="" build="" minutes=10 quick=0 emulate=0 parts=build,test,match,sanitize,bench,peer
while [ $# -gt 0 ]; do
    case $1 in
        --out) out=$(realpath -m "${2:?--out needs a folder}") && shift ;;
        --build) build=$(realpath -m "${2:?--build needs a folder}") && shift ;;
        --minutes) minutes=${2:?--minutes needs a number} && shift ;;
        --only) parts=${2:?--only needs a list} && shift ;;
        --quick) quick=1 ;;
        --emulate) emulate=1 ;;
        *) sed -n '6,14s/^# //p' "$0" >&2 && exit 2 ;;
    esac
    shift
done
[[ $minutes =~ ^[1-9][0-9]*$ ]] || { echo "gpu-check: --minutes is $minutes, expected 1, 2, ..." >&2 && exit 2; }
for part in ${parts//,/ }; do
    case $part in
        build | test | match | sanitize | bench | peer) ;;
        *) echo "gpu-check: --only $part: expected build, test, match, sanitize, bench or peer" >&2 && exit 2 ;;
    esac
done
build=${build:-$root/build/$([ "$emulate" = 1 ] && echo emulate || echo gpu)}
out=${out:-$build/results}
deadline=$((minutes * 60 - 20)) # by SECONDS, which counts from the start; the rest is for the report
tests=$build/tests/native/mirror_tests native=(env) gpu=""

# ---- the machine -----------------------------------------------------------------------------------------------------
find_gpu() {
    if [ "$emulate" = 1 ]; then
        gpu="emulated" driver="libcuda_simt" capability=9.0
        export MIRROR_CUDA_DRIVER=$build/tests/simt/libcuda_simt.so MIRROR_SIMT_ARCH=90
        return
    fi
    local line
    if ! command -v nvidia-smi >/dev/null; then
        line="nvidia-smi is not installed"
    elif line=$(nvidia-smi --query-gpu=name,driver_version,compute_cap --format=csv,noheader 2>&1); then
        IFS=, read -r gpu driver capability <<<"${line%%$'\n'*}"
        driver=${driver# } capability=${capability# }
    fi
    if [ -z "$gpu" ]; then
        echo "gpu-check: no GPU here: $line" >&2
        echo "0 passed, 1 failed, 0 skipped"
        exit 1
    fi
}

# Where the linker does not know cuBLAS, the one of CUDA or of PyTorch; for our programs alone, not for python3.
find_cublas() {
    [ "$emulate" = 0 ] || export MIRROR_CUBLAS=$MIRROR_CUDA_DRIVER
    local file sites known
    known=$(ldconfig -p 2>/dev/null || true)
    if [ -n "${MIRROR_CUBLAS:-}" ] || [[ $known =~ libcublas\.so\.1[123]' ' ]]; then return; fi
    sites=$(python3 -c 'import site; print(*site.getsitepackages())' 2>/dev/null || true)
    # shellcheck disable=SC2086
    for file in $(ls -d "${CUDA_HOME:-/usr/local/cuda}"/lib64/libcublas.so.1[123] 2>/dev/null || true) \
        $([ -z "$sites" ] || find $sites -name 'libcublas.so.1[123]' 2>/dev/null || true); do
        native=(env "LD_LIBRARY_PATH=$(dirname "$file")${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}")
        return
    done
}

find_tool() { # NAME: its path, or nothing
    local cuda=${CUDA_HOME:-/usr/local/cuda}
    command -v "$1" || { [ ! -x "$cuda/bin/$1" ] || echo "$cuda/bin/$1"; }
}

# Whether the libraries of the CPU backend are here. Without them the build has none, and whitenings are not fitted.
cpu_libraries() {
    echo '#include <dnnl.hpp>
          #include <lapacke.h>
          int main() {}' | g++ -x c++ - -fopenmp -ldnnl -lopenblas -llapacke -o /dev/null 2>/dev/null &&
        echo ON || echo OFF
}

# ---- steps -----------------------------------------------------------------------------------------------------------
# One line per step: name, outcome, seconds, exit status, passed, failed, skipped, note, command; "-" for nothing.
record() {
    local line
    printf -v line '%s\t' "$@"
    echo "${line%$'\t'}" >>"$build/steps.tsv"
    printf '%-38s %-8s %5s s  %s\n' "$1" "$2" "$3" "$([ "$5" = - ] || echo "$5/$6/$7 ")${8#-}"
    [[ $1 != bench* && $1 != peer* ]] || grep -E "$found" "$build/logs/$1.log" 2>/dev/null | sed 's/^/    /' || true
    write_report
}

not_run() { # NAME REASON
    record "$1" skipped 0 - - - - "$2" -
}

allowed() { # LIMIT: what is left of it
    local left=$((deadline - SECONDS))
    echo $(($1 < left ? $1 : left))
}

# Lines that tell why a step failed, and what a benchmark found.
telling='^FAIL|DISAGREES|FAILED|error[: ]|Error:|ERROR SUMMARY|^bench:|^mirror:'
found='us/image|PR-MAC|of max\|output\|'
sanitizer_found='^=+ (Invalid|Error|Uninitialized|Barrier error)'

plain() { LC_ALL=C tr -cd '\t\n -~' | cut -c1-160; } # cut in the middle of a character, UTF-8 would not be JSON

# step NAME LIMIT COMMAND...: runs it in a folder of its own; what it prints goes to the log.
step() {
    local name=$1 limit started=$SECONDS status=0 log=$build/logs/$1.log outcome=passed note=- counts="- - -"
    limit=$(allowed "$2")
    shift 2
    if [ "$limit" -lt 5 ]; then
        not_run "$name" "no time left"
        return
    fi
    mkdir -p "$build/run/$name"
    (cd "$build/run/$name" && exec timeout -k 5 "$limit" "$@") >"$log" 2>&1 </dev/null || status=$?
    local last
    last=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$log" | tail -n1 | tr -dc '0-9 \n' || true)
    [ -z "$last" ] || read -r -a counts <<<"$last"
    [ -z "$last" ] || counts="${counts[*]}"
    case $status in
        0) ;;
        124 | 137) outcome=failed note="stopped after $limit s" ;;
        *) outcome=failed note=$(grep -m1 -aE "$telling" "$log" | plain || true) ;;
    esac
    # Sanitizers are slow: one that found nothing so far tells nothing about the rest.
    if [[ $name == sanitize* && $note == stopped* ]]; then
        if grep -qaE "$sanitizer_found" "$log"; then note+=", with errors until then"; else outcome=timeout; fi
    fi
    # Some virtual machines do not let compute-sanitizer at the GPU: that says nothing about the kernels.
    if [ "$outcome" = failed ] && [[ $name == sanitize* ]] && grep -q 'Device not supported' "$log"; then
        outcome=skipped note="compute-sanitizer: Device not supported"
    fi
    if [ "$name-$outcome" = match-passed ]; then
        note=$(grep -oE '"(images|device|extract_seconds|match_seconds)":("[^"]*"|[0-9.]+)' "$log" || true)
        note=${note//\"/}
        note="${note//$'\n'/ } mirror:$mirror_version"
    fi
    note=${note//$'\t'/ }
    # shellcheck disable=SC2086
    record "$name" "$outcome" $((SECONDS - started)) "$status" $counts "${note:--}" "$*"
}

outcome_of() { awk -F'\t' -v name="$1" '$1 == name {print $2}' "$build/steps.tsv"; }
wanted() { [[ ,$parts, == *,$1,* ]]; }
hopper() { [ "$capability" = 9.0 ]; }

# ---- the report, rewritten after every step, so that a call that is killed leaves what it knew -----------------------
quote() {
    local s=${1//\\/\\\\} code character
    s=${s//\"/\\\"}
    if [[ $s == *[[:cntrl:]]* ]]; then
        for code in {0,1}{0..9} {0,1}{a..f}; do
            printf -v character '%b' "\\x$code"
            [ -z "$character" ] || s=${s//"$character"/\\u00$code}
        done
    fi
    printf '"%s"' "$s"
}

value() { [ "$1" = - ] && echo null || echo "$1"; }

write_report() {
    local separator="" name outcome seconds status passed failed skipped note command lock
    exec {lock}>"$build/report.lock" && flock "$lock"
    {
        printf '{"gpu":%s,"compute_capability":%s,"driver":%s,"nvcc":%s,"torch":%s,"date":%s,"git":%s,' \
            "$(quote "$gpu")" "$(quote "$capability")" "$(quote "$driver")" "$(quote "$nvcc_version")" \
            "$(quote "$torch_version")" "$(quote "$date")" "$(quote "$git")"
        printf '"minutes":%s,"kernel_warnings":%s,\n"steps":[' "$minutes" \
            "$(cat "$build/kernel_warnings" 2>/dev/null || echo null)"
        while IFS=$'\t' read -r name outcome seconds status passed failed skipped note command; do
            printf '%s\n{"name":%s,"outcome":%s,"seconds":%s,"exit":%s,' "$separator" "$(quote "$name")" \
                "$(quote "$outcome")" "$seconds" "$(value "$status")"
            printf '"passed":%s,"failed":%s,"skipped":%s,"note":%s,"command":%s}' "$(value "$passed")" \
                "$(value "$failed")" "$(value "$skipped")" "$(quote "$note")" "$(quote "$command")"
            separator=,
        done <"$build/steps.tsv"
        printf ']}\n'
    } >"$build/check.json.new"
    mv "$build/check.json.new" "$out/check.json"
    join_benches >"$out/bench.json"
    while IFS=$'\t' read -r name outcome _ _ _ _ _ note command; do
        echo "==== $name: $outcome ($note): $command"
        [ ! -r "$build/logs/$name.log" ] || tail -c 400000 "$build/logs/$name.log"
    done <"$build/steps.tsv" >"$out/log.txt"
    exec {lock}>&-
}

# A JSON array of what the calls of the benchmark wrote, one object each, but for what one that was killed left half.
join_benches() {
    local file separator=""
    echo "["
    for file in "$build"/bench/*.json; do
        [[ -r $file && $(tail -c 3 "$file") == ']}' ]] || continue
        printf '%s' "$separator"
        cat "$file"
        separator=,
    done
    echo "]"
}

finish() {
    echo
    awk -F'\t' '
        BEGIN {
            format = "%-38s %-8s %8s %6s %24s  %s\n"
            printf format, "step", "outcome", "seconds", "exit", "tests ok/failed/skipped", "note"
        }
        {
            tests = $5 == "-" ? "" : $5 "/" $6 "/" $7
            printf format, $1, $2, $3, $4, tests, $8 == "-" ? "" : $8
            ++count[$2]
        }
        END {
            print ""
            if (count["timeout"]) printf "%d ran out of time, neither passed nor failed\n", count["timeout"]
            printf "%d passed, %d failed, %d skipped\n", count["passed"], count["failed"], count["skipped"]
            exit count["failed"] > 0
        }
    ' "$build/steps.tsv"
}

# ---- parts -----------------------------------------------------------------------------------------------------------
build_all() {
    # A later nvcc may warn of what ours does not: that is counted, and no reason to measure nothing.
    local settings=(-DCMAKE_BUILD_TYPE=Release "-DMIRROR_CPU=$(cpu_libraries)" -DMIRROR_CUDA=ON)
    settings+=(-DMIRROR_KERNEL_WERROR=OFF)
    local targets=(mirror mirror_tests mirror_catalogue)
    if [ "$emulate" = 1 ]; then targets+=(cuda_simt); else settings+=(-DMIRROR_REQUIRE_NVCC=ON); fi
    step configure 60 cmake -G Ninja -S "$root" -B "$build" "${settings[@]}"
    [ "$(outcome_of configure)" = passed ] || return 0
    step build $((emulate ? 3600 : 300)) cmake --build "$build" --target "${targets[@]}"
    count_warnings "$build/logs/build.log"
}

# What the kernels' compiler and ptxas warn of, once each; a build that did not compile them keeps the last number.
count_warnings() { # LOG
    local warnings
    grep -q 'Compiling kernels with' "$1" 2>/dev/null || return 0
    warnings=$(grep -aE 'kernels/[^ ]*: warning|(nvcc|ptxas) warning|ptxas.*\(C75' "$1" | sort -u || true)
    printf '%s' "$warnings" | grep -c '' >"$build/kernel_warnings" || true
    [ -z "$warnings" ] || printf '%s\n' "$warnings" | head -n 10 | cut -c1-160 | sed 's/^/    /'
    write_report
}

test_family() { # FAMILY LIMIT [FILTER...]
    local family=$1 limit=$2
    shift 2
    if [ "$family" = wgmma ] && ! hopper; then
        not_run test-wgmma "needs compute capability 9.0"
        return
    fi
    step "test-$family" "$limit" "${native[@]}" "MIRROR_KERNELS=$family" "$tests" --device cuda "$@"
}

families() { hopper && echo mma wgmma || echo mma; }

# Whether a benchmark of wgmma ended by its time limit, as where a kernel hangs that no hardware has run before.
wgmma_hangs() {
    awk -F'\t' '$1 ~ /^bench.*-wgmma$/ && ($4 == 124 || $4 == 137) {n = 1} END {exit !n}' "$build/steps.tsv"
}

# The command on the photographs, as users have it: with the libmirror that was published beside it, which need not be
# the one built here.
mirror_version=""
match() {
    local mirror=$root/artifacts/mirror/mirror why
    if [ ! -x "$mirror" ]; then
        not_run match "no artifacts/mirror/mirror here (docs/kernels.md says how to publish one)"
    elif ! why=$(timeout 20 "$mirror" --version 2>&1 </dev/null); then
        why=$(head -n 1 <<<"$why" | plain)
        not_run match "artifacts/mirror/mirror does not run: ${why:-it printed nothing}"
    else
        mirror_version=$(head -n 1 <<<"$why" | cut -c1-18)
        rm -rf "$build/run/match" # else it would go on from the descriptors of an earlier call
        step match $((emulate ? 600 : 60)) "${native[@]}" "$mirror" match --images "$root/samples/photos" \
            --out matches --device cuda --precision fp16 --size $((emulate ? 224 : 896)) --json
    fi
}

# sanitize_with NAME LIMIT COMMAND...: all four tools at the same time, because nothing is timed here.
sanitize_with() {
    local name=$1 limit=$2 tool sanitizer
    shift 2
    sanitizer=$(find_tool compute-sanitizer)
    for tool in memcheck racecheck initcheck synccheck; do
        if [ -z "$sanitizer" ]; then
            not_run "sanitize-$tool-$name" "no compute-sanitizer here"
        else
            step "sanitize-$tool-$name" "$limit" "${native[@]}" MIRROR_GRAPHS=0 "MIRROR_KERNELS=${name#network-}" \
                "$sanitizer" --tool "$tool" --error-exitcode 1 --print-limit 20 "$@" &
        fi
    done
}

# The smallest tests of each operation, and a small network with all that half precision has.
sanitized=(Conv2d_ Pool2d_ Lrn_ L2Normalize_ Preprocess_Gray RegionPool_Ragged Search_TwoRegions Search_ThirtyFive
    TopK_ WhiteningApply_ WhiteningFit_Golden Cuda_HalfIndex)
sanitize() {
    local family
    sanitize_with mma 90 "$tests" --device cuda "${sanitized[@]}"
    if hopper; then
        sanitize_with wgmma 90 "$tests" --device cuda "${sanitized[@]}"
    else
        not_run "sanitize-wgmma" "needs compute capability 9.0"
    fi
    wait # compute-sanitizer serves about ten programs at once
    for family in $(families); do
        sanitize_with "network-$family" 60 "$tests" --device cuda --bench --nets googlenet --sizes 65 --batches 2 \
            --precisions fp16,bf16 --families "$family" --rounds 1 --search 0 # cuBLAS is not ours to check
    done
    wait
}

# Networks: a call for each family, mma first, which also writes the dumps; what hangs in the other then loses nothing.
bench() { # NAME LIMIT ARGUMENTS...: NAME orders the files, and ends in the family
    local name=$1 limit=$2
    shift 2
    if [[ $name == *-wgmma ]] && wgmma_hangs; then
        not_run "bench-${name#*-}" "an earlier benchmark of wgmma ran out of time"
        return
    fi
    step "bench-${name#*-}" "$limit" "${native[@]}" "$tests" --device cuda --bench --precisions fp16 \
        --json "$build/bench/$name.json" "$@"
}

bench_first() {
    rm -rf "$build/bench" "$build/dumps" "$out/peer.json"
    mkdir -p "$build/bench" "$build/dumps"
    bench_network mma
    if [ "$emulate" = 1 ]; then
        bench 01-search 600 --nets "" --search 40 --rounds 1
    else
        bench 01-search 60 --nets "" --search 9368 --rounds 5
    fi
}

bench_network() { # FAMILY
    local limit=60 what=(--nets resnet-50 --sizes 896 --batches 8 --rounds 21)
    [ "$emulate" = 0 ] || limit=600 what=(--nets half_googlenet --sizes 96 --batches 1 --rounds 1)
    [ "$1" != mma ] || what+=(--dump "$build/dumps")
    bench "00-first-$1" "$limit" --families "$1" --layers 1 "${what[@]}"
}

bench_rest() {
    local net batches family dump number=10
    for batches in 8 1,32; do
        for family in $(families); do
            # A dump of one batch serves the others: they are the same network.
            dump=""
            [ "$family-$batches" != mma-8 ] || dump=$build/dumps
            for net in resnet-50 googlenet resnet-101 half_googlenet resnet-152; do
                bench "$((number++))-$net-batch-$batches-$family" 45 --families "$family" --nets "$net" \
                    --sizes 896,448,224 --batches "$batches" --rounds 11 --dump "$dump"
            done
        done
    done
}

peer() { # NAME LIMIT BENCH...: --seconds lets it end by itself and keep what it has; a later call goes on from there
    local name=$1 limit
    limit=$(allowed "$2")
    shift 2
    if [ "$torch_version" = none ]; then
        not_run "$name" "no PyTorch in this python3"
        return
    fi
    step "$name" "$limit" env PYTHONUNBUFFERED=1 "TORCHINDUCTOR_CACHE_DIR=$build/inductor" \
        python3 "$root/scripts/pytorch_peer.py" --dump "$build/dumps" --out "$out/peer.json" \
        --seconds $((limit > 25 ? limit - 15 : 10)) --bench "$@"
}

selfcheck() { # of the script above, which needs no PyTorch
    if ! python3 -c '' 2>/dev/null; then
        not_run peer-selfcheck "no python3 here"
        return
    fi
    step peer-selfcheck 60 python3 -B "$root/scripts/pytorch_peer.py" --selfcheck
}

# ---- run -------------------------------------------------------------------------------------------------------------
find_gpu
find_cublas
[ ! -d "$root/shared" ] || export MIRROR_SHARED="${MIRROR_SHARED:-$root/shared}"
nvcc_version=none
torch_version=none
[ "$emulate" = 1 ] || torch_version=$(python3 -c 'import torch; print(torch.__version__)' 2>/dev/null || echo none)
git=$(git -C "$root" describe --always --dirty --abbrev=12 --exclude='*' 2>/dev/null || echo unknown)
date=$(date -u +%Y-%m-%dT%H:%M:%SZ)
mkdir -p "$build/logs" "$out"
rm -f "$build"/logs/*.log
: >"$build/steps.tsv"
echo "$gpu, compute capability $capability, driver $driver, PyTorch $torch_version, source $git"

! wanted build || build_all
if nvcc=$(grep -hoE '^MIRROR_NVCC:FILEPATH=/.*' "$build/CMakeCache.txt" 2>/dev/null); then
    nvcc_version=$("${nvcc#*=}" --version | sed -nE 's/.*release ([0-9.]+).*/\1/p')
fi
if [ ! -x "$tests" ] || [ "$(outcome_of build)" = failed ] || [ "$(outcome_of configure)" = failed ]; then
    [ ! -r "$build/logs/build.log" ] || tail -n 30 "$build/logs/build.log"
    echo "gpu-check: nothing was built, so nothing runs (log: $out/log.txt)"
    finish || true
    exit 1
fi

few=()
[ "$emulate" = 0 ] || few=(Pool2d_ Lrn_ L2Normalize_ Search_TwoRegions TopK_)
! wanted test || test_family mma 150 "${few[@]}"
! wanted bench || bench_first
! wanted test || test_family wgmma 100 "${few[@]}"
! wanted bench || ! hopper || bench_network wgmma
if [ "$quick" = 0 ] && [ "$emulate" = 0 ] && wanted peer; then peer peer-first 130 "$build"/bench/0*.json; fi
! wanted peer || selfcheck
! wanted test || test_family cublas $((emulate ? 600 : 60)) Search_ Whitening Cuda_Half Cuda_Cov
! wanted match || match
if [ "$quick" = 0 ] && [ "$emulate" = 0 ]; then
    ! wanted sanitize || sanitize
    ! wanted bench || bench_rest
    ! wanted peer || peer peer-all 600 "$build"/bench/*.json
fi
finish
