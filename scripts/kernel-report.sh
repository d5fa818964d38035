#!/usr/bin/env bash
# Resource report: assembles every kernel for sm_80, sm_86, sm_89 and sm_90a and shows what ptxas made of it, once from
# nvcc (what ships) and once from clang's PTX (what the driver compiles where there was no nvcc). Fails on a spill, a
# stack frame, and on a ptxas note C75xx or warning without an explanation in kernel-report.allow. Runs without a GPU.
#
# usage: scripts/kernel-report.sh [--write] [--jobs N] [BUILD]     BUILD: a configured build folder, default build/release
#   --write   also replaces the generated section of docs/kernels.md
# Ends with "N passed, N failed, N skipped": one check per kernel, architecture and compiler.
set -euo pipefail
cd "$(dirname "$0")/.."

build=build/release write=0 jobs=$(nproc)
while [ $# -gt 0 ]; do
    case $1 in
        --write) write=1 ;;
        --jobs) jobs=${2:?--jobs needs a number} && shift ;;
        -*) sed -n '6,7s/^# //p' "$0" >&2 && exit 2 ;;
        *) build=$1 ;;
    esac
    shift
done

skip() {
    echo "kernel report skipped: $1"
    [ "${MIRROR_REQUIRE_REPORT:-0}" = 0 ] || { echo "0 passed, 1 failed, 0 skipped" && exit 1; }
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
}

# Which compilers, with which flags: the words of cmake/kernels.cmake.
conf=$build/kernels/report.conf
[ -r "$conf" ] || skip "$conf is missing; configure that folder with MIRROR_CUDA=ON"
nvcc="" clang="" nvcc_flags="" clang_flags="" ptx_version_sm_80="" ptx_version_sm_90a=""
# shellcheck source=/dev/null
. "$conf"
[ -x "$nvcc" ] || nvcc=""
[ -x "$clang" ] || clang=""
[ -n "$nvcc$clang" ] || skip "the compilers that $conf names are gone; configure $build again"

# ptxas: nvcc's own, else the fetched one, else any in PATH.
toolchain=${XDG_CACHE_HOME:-$HOME/.cache}/mirror/cuda-12.4
ptxas=""
for candidate in "${nvcc%nvcc}ptxas" "$toolchain/bin/ptxas" "$(command -v ptxas || true)"; do
    [ -x "$candidate" ] || continue
    release=$("$candidate" --version | sed -nE 's/.*release ([0-9.]+).*/\1/p')
    if [ "$(printf '%s\n' 12.4 "$release" | sort -V | head -n1)" = 12.4 ]; then
        ptxas=$candidate
        break
    fi
done
[ -n "$ptxas" ] || skip "no ptxas 12.4 or later in $toolchain/bin or PATH; fetch it with: ./build.sh setup --cuda-compiler"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unity=kernels/mirror_kernels.cu

# compile COMPILER ARCH: leaves COMPILER.ARCH.log, which ends in "exit STATUS". One PTX serves sm_80, 86 and 89, as it
# will on the user's machine. The flags are lists of words.
compile() {
    local target status=0 log version=ptx_version_sm_$2
    # shellcheck disable=SC2086
    if [ "$1" = nvcc ]; then
        log=$work/nvcc.$2.log
        "$nvcc" $nvcc_flags -gencode "arch=compute_$2,code=sm_$2" -Xptxas -v -cubin -Ikernels "$unity" \
            -o "$work/nvcc.$2.cubin" >"$log" 2>&1 || status=$?
        echo "exit $status" >>"$log"
        return
    fi
    # shellcheck disable=SC2086
    "$clang" $clang_flags "--cuda-gpu-arch=sm_$2" -Xclang -target-feature -Xclang "+${!version}" -Ikernels -S "$unity" \
        -o "$work/$2.ptx" >"$work/$2.err" 2>&1 || status=$?
    for target in $([ "$2" = 80 ] && echo 80 86 89 || echo "$2"); do
        log=$work/clang.$target.log
        cp "$work/$2.err" "$log"
        [ "$status" -ne 0 ] || "$ptxas" -v "-arch=sm_$target" "$work/$2.ptx" -o "$work/clang.$target.cubin" >>"$log" 2>&1 || status=$?
        echo "exit $status" >>"$log"
    done
}
export -f compile
export work unity nvcc nvcc_flags clang clang_flags ptxas ptx_version_sm_80 ptx_version_sm_90a
{
    [ -z "$nvcc" ] || printf 'nvcc %s\n' 90a 80 86 89 # the longest first
    [ -z "$clang" ] || printf 'clang %s\n' 90a 80
} | xargs -n2 -P "$jobs" bash -c 'compile "$@"' _

# ---- logs -> one line per kernel: compiler arch kernel registers shared stack spill_bytes notes, tab-separated ------------
for log in "$work"/*.log; do
    name=$(basename "$log" .log)
    awk -v compiler="${name%%.*}" -v arch="sm_${name#*.}" '
        function quoted(line) { return match(line, /\047[^\047]+\047/) ? substr(line, RSTART + 1, RLENGTH - 2) : "(module)" }
        function before(line, pattern) { return match(line, "[0-9]+ " pattern) ? substr(line, RSTART, RLENGTH) + 0 : 0 }
        function note(line, text,   k) {
            k = line
            while (match(k, /\047[^\047]+\047/)) { last = substr(k, RSTART + 1, RLENGTH - 2); k = substr(k, RSTART + RLENGTH) }
            k = last == "" ? "(module)" : last; last = ""
            if (index(notes[k], text) == 0) notes[k] = notes[k] (notes[k] == "" ? "" : " ") text
            if (!(k in regs)) { regs[k] = "-"; order[++n] = k }
        }
        /Compiling entry function/ { entry = quoted($0); if (!(entry in regs)) order[++n] = entry; regs[entry] = 0 }
        /Function properties for/ { inside = $NF }
        /bytes stack frame/ && entry != "" {
            # A function that was not inlined reports for itself; its frame counts for the kernel it was compiled with.
            stack[entry] += before($0, "bytes stack frame")
            spill[entry] += before($0, "bytes spill stores") + before($0, "bytes spill loads")
        }
        /Used [0-9]+ registers/ {
            match($0, /Used [0-9]+/); regs[entry] = substr($0, RSTART + 5, RLENGTH - 5) + 0
            shared[entry] = before($0, "bytes smem")
            if (before($0, "bytes cumulative stack") > stack[entry]) stack[entry] = before($0, "bytes cumulative stack")
        }
        match($0, /\(C75[0-9]+\)/) { code = substr($0, RSTART + 1, RLENGTH - 2); note($0, code) }
        /ptxas warning/ { print "    " $0 > "/dev/stderr"; note($0, "warning") }
        $1 == "exit" && $2 != 0 { broken = 1 }
        END {
            if (broken) { print compiler "\t" arch "\t(module)\t-\t0\t0\t0\tdoes not compile"; exit }
            for (i = 1; i <= n; ++i) {
                k = order[i]
                print compiler "\t" arch "\t" k "\t" regs[k] "\t" shared[k] + 0 "\t" stack[k] + 0 "\t" spill[k] + 0 "\t" notes[k]
            }
        }' "$log" >>"$work/rows"
    [ "$(tail -n1 "$log")" = "exit 0" ] || { echo "✗ $name:" && grep -v '^ptxas info' "$log" | head -n 20; } >&2
done

# ---- rows + catalogue -> table, occupancy, verdict ---------------------------------------------------------------------
json=$build/kernels/mirror_kernels.json
[ -r "$json" ] || json=/dev/null
awk -v json="$json" -v allow=scripts/kernel-report.allow -v wide="$work/wide.md" \
    -v title="$([ -z "$nvcc" ] || "$nvcc" --version | sed -nE 's/.*release ([0-9.]+).*/nvcc \1/p')" \
    -v clang_title="$([ -z "$clang" ] || "$clang" --version | sed -nE 's/.*clang version ([0-9]+).*/clang \1/p'), $(basename "$ptxas") $release" '
    function field(record, key,   value) { # of one flat JSON object
        if (!match(record, "\"" key "\"[ \t\n]*:[ \t\n]*(\"[^\"]*\"|-?[0-9]+)")) return ""
        value = substr(record, RSTART, RLENGTH); sub(/^"[^"]*"[ \t\n]*:[ \t\n]*/, "", value); gsub(/"/, "", value)
        return value
    }
    function least(a, b) { return a < b ? a : b }
    # Blocks per multiprocessor, as the occupancy calculator has it: registers are given to warps in units of 256, to the
    # four schedulers separately; every block takes 1 KB of shared memory for itself. Sets `limit`.
    function occupancy(arch, registers, threads, bytes,   warps, by_registers, by_shared, by_threads, blocks) {
        limit = ""
        if (threads <= 0 || bytes < 0 || registers == "-") return "-"
        if (bytes > optin[arch]) { limit = "shared memory"; return 0 }
        warps = int((threads + 31) / 32)
        by_registers = int(int(64 / (int((registers * 32 + 255) / 256))) * 4 / warps)
        by_shared = int(total[arch] / (int((bytes + 127) / 128) * 128 + 1024))
        by_threads = int(max_threads[arch] / (warps * 32))
        blocks = least(least(by_registers, by_shared), least(by_threads, max_blocks[arch]))
        if (blocks == by_registers) limit = limit " registers"
        if (blocks == by_shared) limit = limit " shared"
        if (blocks == by_threads) limit = limit " threads"
        if (blocks == max_blocks[arch]) limit = limit " blocks"
        sub(/^ /, "", limit); gsub(/ /, "+", limit)
        return blocks
    }
    BEGIN {
        FS = "\t"
        # Per multiprocessor: shared memory, threads, blocks; per block: shared memory a kernel may ask for.
        split("sm_80 sm_86 sm_89 sm_90a", archs, " ")
        split("164 100 100 228", kb, " "); split("2048 1536 1536 2048", th, " "); split("32 16 24 32", bl, " ")
        for (i = 1; i <= 4; ++i) {
            total[archs[i]] = kb[i] * 1024; optin[archs[i]] = (kb[i] - 1) * 1024
            max_threads[archs[i]] = th[i]; max_blocks[archs[i]] = bl[i]; rank[archs[i]] = substr(archs[i], 4) + 0
        }
        old = RS; RS = "{"
        while ((getline record < json) > 0)
            if (field(record, "name") != "" && field(record, "threads") != "") {
                k = field(record, "name"); listed[++kernels] = k; threads[k] = field(record, "threads") + 0
                dynamic[k] = field(record, "shared_memory") + 0; lowest[k] = field(record, "min_arch") + 0
            }
        RS = old
        while ((getline line < allow) > 0)
            if (line !~ /^#/ && split(line, w, /[ :]+/) > 2) { allowed[w[1], w[2]] = 1; explained[++entries] = w[1] " " w[2] }
        format = "%-34s %-7s %-5s %9s %8s %7s %6s  %-18s %5s %5s  %s\n"
        printf format, "kernel", "arch", "from", "registers", "shared", "threads", "blocks", "limited by", "stack", "spill", "notes"
    }
    {
        compiler = $1; arch = $2; k = $3; notes = $8; bad = ""
        compiled[compiler, arch, k] = 1; combination[compiler, arch] = 1
        if (k == "(module)") broken[compiler, arch] = 1
        in_list = k in threads
        bytes = !in_list || dynamic[k] < 0 ? -1 : $5 + dynamic[k]
        blocks = occupancy(arch, $4, in_list ? threads[k] : 0, bytes)
        if (k == "(module)" && notes !~ /warning|C75/) bad = notes
        if ($6 > 0) bad = bad " stack"
        if ($7 > 0) bad = bad " spill"
        if (notes ~ /C75|warning/) {
            if ((k, arch) in allowed) { used[k " " arch] = 1; notes = notes " (explained)" } else bad = bad " " notes
        }
        if (kernels && !in_list && k != "(module)") bad = bad " not in the catalogue"
        if (blocks == "0") notes = notes " does not fit this architecture"
        printf format, k, arch, compiler, $4, bytes < 0 ? $5 "+?" : bytes, in_list && threads[k] ? threads[k] : "?", blocks, limit, $6, $7, notes
        if (bad != "") { sub(/^ /, "", bad); failures[++failed] = k " " arch " " compiler ": " bad } else ++passed
        if (!(k in seen)) { seen[k] = 1; shown[++rows] = k; smem[k] = bytes < 0 ? "by shape" : bytes }
        cell[compiler, k, arch] = $4 (blocks == "-" ? "" : blocks == "0" ? ", none" : ", " blocks " (" limit ")") (notes ~ /explained/ ? " *" : "")
    }
    END {
        for (i = 1; i <= kernels; ++i)
            for (c in combination) {
                split(c, w, SUBSEP)
                if (rank[w[2]] >= lowest[listed[i]] && !((w[1], w[2], listed[i]) in compiled) && !((w[1], w[2]) in broken))
                    failures[++failed] = listed[i] " " w[2] " " w[1] ": in the catalogue, but not compiled"
            }
        for (i = 1; i <= entries; ++i)
            if (!(explained[i] in used)) print "note: kernel-report.allow explains " explained[i] ", which has no note here"
        for (i = 1; i <= failed; ++i) print "✗ " failures[i]
        print passed + 0 " passed, " failed + 0 " failed, 0 skipped"

        names["nvcc"] = title; names["clang"] = clang_title
        for (p = 1; p <= 2; ++p) {
            compiler = p == 1 ? "nvcc" : "clang"
            if (!((compiler, "sm_80") in combination)) continue
            printf "\n%s: registers, blocks per multiprocessor (limited by)\n\n", names[compiler] > wide
            print "| kernel | threads | shared memory, bytes | sm_80 | sm_86 | sm_89 | sm_90a |\n|---|--:|--:|---|---|---|---|" > wide
            for (i = 1; i <= rows; ++i) {
                k = shown[i]
                line = "| `" k "` | " (k in threads && threads[k] ? threads[k] : "by shape") " | " smem[k] " |"
                for (a = 1; a <= 4; ++a) line = line " " ((compiler, k, archs[a]) in cell ? cell[compiler, k, archs[a]] : "–") " |"
                print line > wide
            }
        }
        exit failed > 0
    }' <(sort -t "$(printf '\t')" -k3,3 -k2,2 -k1,1r "$work/rows") || status=$?

# ---- docs/kernels.md -----------------------------------------------------------------------------------------------------
if [ "$write" = 1 ] && [ "${status:-0}" -eq 0 ]; then
    awk -v wide="$work/wide.md" '
        /^<!-- end of the resource table -->/ { inside = 0 }
        !inside { print }
        /^<!-- resource table/ { inside = 1; while ((getline line < wide) > 0) print line; print "" }' docs/kernels.md >"$work/kernels.md"
    cp "$work/kernels.md" docs/kernels.md
fi
exit "${status:-0}"
