#!/usr/bin/env bash
# Builds, tests and runs Mirror on Linux; build.ps1 is its twin. No state of its own: CMake and MSBuild know what is stale.
set -euo pipefail
cd "$(dirname "$0")"

# a|b is one package under two names, Debian's and Ubuntu's.
packages=(g++ cmake ninja-build libdnnl-dev ocl-icd-opencl-dev libopenblas-openmp-dev liblapacke-dev zlib1g-dev 'libturbojpeg0|libturbojpeg')

# The CUDA kernels need nvcc >= 12.4 (CUDA, or setup --cuda-compiler) or a clang >= 16.
kernel_compiler() {
    local cached=${XDG_CACHE_HOME:-$HOME/.cache}/mirror/cuda-12.4/bin/nvcc release
    for compiler in clang++-{16..21}; do command -v "$compiler" >/dev/null && return 0; done
    for compiler in nvcc "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc" "$cached"; do
        release=$("$compiler" --version 2>/dev/null | sed -nE 's/.*release ([0-9.]+).*/\1/p')
        [ -z "$release" ] || [ "$(printf '%s\n' 12.4 "$release" | sort -V | head -n1)" != 12.4 ] || return 0
    done
    return 1
}

usage() {
    cat <<'TEXT'
usage: ./build.sh VERB
  setup            install what is missing (Debian and Ubuntu packages), or print the command that would
  setup --cuda-compiler
                   fetch nvcc and ptxas 12.4 into ~/.cache/mirror, without touching the system (Debian)
  build            native core, managed half; leaves the command at artifacts/mirror/mirror
  test             every test: native, kernels in the emulator, sanitizers, C++ sample, managed
  run -- ARGS      the mirror command as last built; built first where there is none
  bench [-- ARGS]  networks, search and memory measured on this machine (mirror bench)
  format           clang-format and dotnet format, in place
  pack             NuGet packages and a tar archive of the command, in artifacts/packages
  clean            remove everything built
TEXT
}

missing() {
    command -v dpkg-query >/dev/null || return 0 # not a Debian: CMake names what it does not find
    local package name
    for package in "${packages[@]}"; do
        for name in ${package//|/ }; do
            [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" != installed ] || continue 2
        done
        echo "$package"
    done
    kernel_compiler || echo clang-19
}

# Of each package the name under which apt can install it; the first where it knows none.
known() { # PACKAGE...
    local package name
    for package in "$@"; do
        for name in ${package//|/ } "${package%%|*}"; do
            [ -z "$(apt-cache madison "$name" 2>/dev/null)" ] || break
        done
        echo "$name"
    done
}

setup() {
    if ! dotnet --version >/dev/null 2>&1; then
        echo "✗ .NET SDK 10 not found: https://dotnet.microsoft.com/download/dotnet/10.0" >&2
        exit 1
    fi
    local absent sudo=""
    absent=$(missing | xargs)
    [ -n "$absent" ] || return 0
    if [ "$(id -u)" != 0 ]; then
        sudo="sudo"
        if ! sudo -n true 2>/dev/null; then
            absent=$(known $absent | xargs)
            echo "✗ missing: $absent; install with:" >&2
            echo "    sudo apt-get install -y --no-install-recommends $absent" >&2
            exit 1
        fi
    fi
    $sudo apt-get update -qq
    absent=$(known $absent | xargs)
    echo "installing $absent"
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $absent >/dev/null
}

native() { # PRESET
    cmake --preset "$1" -Wno-dev >/dev/null # also refreshes the git hash
    cmake --build --preset "$1"
}

build() {
    setup
    native release
    dotnet publish src/Mirror.Cli -c Release --use-current-runtime -o artifacts/mirror --nologo -v quiet
    echo "✓ CPU backend (oneDNN, OpenBLAS)   ✓ CUDA backend ($(ls artifacts/native | grep -E '^mirror_kernels.*(fatbin|ptx)$' | xargs))"
    echo "✓ artifacts/mirror/mirror"
}

case "${1:-}" in
    setup)
        [ "${2:-}" != --cuda-compiler ] || exec scripts/cuda-toolchain.sh
        setup && echo "✓ nothing is missing"
        ;;
    build) build ;;
    test) build && exec scripts/test.sh ;;
    run)
        shift
        [ "${1:-}" != -- ] || shift
        [ -x artifacts/mirror/mirror ] || build >&2
        exec artifacts/mirror/mirror "$@"
        ;;
    bench)
        shift
        [ "${1:-}" != -- ] || shift
        build
        exec artifacts/mirror/mirror bench "$@"
        ;;
    format)
        # mirror.h and the kernel tests are laid out by hand, as kernels/ is (its .clang-format).
        git ls-files '*.cpp' '*.hpp' '*.h' ':!native/include/mirror/mirror.h' ':!tests/simt/test_*' | xargs clang-format -i
        dotnet format Mirror.sln
        ;;
    pack)
        build
        dotnet pack Mirror.sln -c Release -o artifacts/packages --nologo -v quiet
        tar -C artifacts -czf artifacts/packages/mirror-linux-x64.tar.gz mirror
        ;;
    clean) rm -rf artifacts build ;;
    *) usage && [ "${1:-}" = help ] || exit 2 ;;
esac
