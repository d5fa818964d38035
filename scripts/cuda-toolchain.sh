#!/usr/bin/env bash
# Fetches nvcc, cicc, ptxas, fatbinary, cuobjdump and nvdisasm 12.4 into a cache folder, without touching the system.
# They lie in Debian's package nvidia-cuda-toolkit, section non-free of the release after bookworm. A private apt
# (own lists, own sources, the machine's own mirror and proxy) fetches that one package and checks the signature of
# the index and the SHA256 of the package; dpkg-deb unpacks it. CUDA's headers (0.9 GB) are not needed: the kernels
# include none, and the one that nvcc insists on is written here.
#
# usage: scripts/cuda-toolchain.sh [FOLDER]     default ${XDG_CACHE_HOME:-~/.cache}/mirror/cuda-12.4
# Prints the folder; FOLDER/bin/nvcc compiles kernels to PTX and cubins (no host code). A second call is instant.
set -euo pipefail

folder=${1:-${XDG_CACHE_HOME:-${HOME:?not set}/.cache}/mirror/cuda-12.4}
programs=(nvcc cicc ptxas fatbinary cuobjdump nvdisasm)
stamp="mirror cuda toolchain 12.4, layout 1"

die() {
    echo "cuda-toolchain: $1" >&2
    exit 1
}

if [ "$(cat "$folder/stamp" 2>/dev/null)" = "$stamp" ]; then
    echo "$folder"
    exit 0
fi

# Only a folder that this script made is ever replaced.
[ ! -e "$folder" ] || grep -qs '^mirror cuda toolchain' "$folder/stamp" || rmdir "$folder" 2>/dev/null ||
    die "$folder exists and is not a toolchain of Mirror"

for tool in apt-get dpkg dpkg-deb tar; do
    command -v "$tool" >/dev/null || die "$tool not found: this script needs Debian 12 or 13; elsewhere install CUDA 12.4 or later from NVIDIA"
done
id="" version_codename=""
# shellcheck source=/dev/null
[ ! -r /etc/os-release ] || { id=$(. /etc/os-release && echo "${ID:-}") version_codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}"); }
case "$id $version_codename" in
    "debian bookworm" | "debian trixie") release=trixie ;;
    *) die "this is '$id $version_codename', not Debian bookworm or trixie: install CUDA 12.4 or later from NVIDIA" ;;
esac

# The mirror that this machine's apt uses for its own release.
mirror=$(apt-get indextargets --format '$(CREATED_BY) $(COMPONENT) $(RELEASE) $(REPO_URI)' 2>/dev/null |
    awk -v release="$version_codename" '$1 == "Packages" && $2 == "main" && ($3 == release || $3 == "stable") {print $4; exit}')
[ -n "$mirror" ] || die "apt has no source for Debian $version_codename main on this machine, so there is no mirror to ask"

# Everything happens in a folder beside the target, which is renamed at the very end: no half-unpacked toolchain.
mkdir -p "$(dirname "$folder")" || die "cannot create $(dirname "$folder")"
work=$(mktemp -d "$folder.partial.XXXXXX") || die "cannot write beside $folder"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/apt/lists/partial "$work"/apt/cache/archives/partial "$work"/toolchain/bin "$work"/toolchain/include

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
signed=""
[ ! -r "$keyring" ] || signed="[signed-by=$keyring] "
echo "deb $signed$mirror $release non-free" >"$work/apt/sources.list"

# quiet_apt WHAT ARGUMENTS...: apt-get that sees the private source only; its first error becomes ours.
quiet_apt() {
    local what=$1
    shift
    if ! (cd "$work/apt" && apt-get -q \
        -o Dir::Etc::SourceList="$work/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null -o APT::Default-Release= \
        -o Dir::State::Lists="$work/apt/lists" -o Dir::Cache="$work/apt/cache" \
        -o Acquire::Languages=none -o Acquire::Retries=2 -o Acquire::http::Timeout=30 \
        -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false \
        -o APT::Sandbox::User="$(id -un)" -o APT::Update::Error-Mode=any "$@") >"$work/apt/log" 2>&1; then
        die "$what failed: $(grep -m1 'Failed to fetch' "$work/apt/log" || grep -m1 '^[EW]:' "$work/apt/log" || tail -n1 "$work/apt/log")"
    fi
}

quiet_apt "reading the index of $mirror $release/non-free" update
echo "cuda-toolchain: fetching nvidia-cuda-toolkit (87 MB) from $mirror" >&2
quiet_apt "fetching nvidia-cuda-toolkit from $mirror" download nvidia-cuda-toolkit
package=$(find "$work/apt" -maxdepth 1 -name 'nvidia-cuda-toolkit_*.deb')
[ -n "$package" ] || die "apt downloaded no nvidia-cuda-toolkit"
version=$(dpkg-deb -f "$package" Version)
dpkg --compare-versions "$version" ge 12.4 || die "$mirror offers nvidia-cuda-toolkit $version; 12.4 or later is needed"

root=$work/toolchain
dpkg-deb --fsys-tarfile "$package" | tar -x -C "$work/apt" ./usr/bin ./usr/lib/nvidia-cuda-toolkit/bin ./usr/share/doc/nvidia-cuda-toolkit/copyright ||
    die "cannot unpack $(basename "$package")"
for program in "${programs[@]}"; do
    # /usr/bin/nvcc is a script around the real one.
    source=$work/apt/usr/lib/nvidia-cuda-toolkit/bin/$program
    [ -f "$source" ] || source=$work/apt/usr/bin/$program
    [ -f "$source" ] || die "$program is not in $(basename "$package")"
    mv "$source" "$root/bin/$program"
done
mv "$work/apt/usr/share/doc/nvidia-cuda-toolkit/copyright" "$root/copyright"

# nvcc preprocesses with "gcc", looked up first in its own folder: the newest of the versions that 12.4 knows.
for host in g++-12 g++-13 g++; do
    if command -v "$host" >/dev/null; then
        ln -s "$(command -v "$host")" "$root/bin/gcc"
        break
    fi
done
[ -L "$root/bin/gcc" ] || die "no g++ found: nvcc preprocesses with it"

cat >"$root/bin/nvcc.profile" <<'PROFILE'
TOP = $(_HERE_)/..
PATH += $(TOP)/bin:
INCLUDES += "-I$(TOP)/include" $(_SPACE_)
PROFILE

# nvcc includes cuda_runtime.h before every source. These names are what device code takes from it.
cat >"$root/include/cuda_runtime.h" <<'HEADER'
// Stands in for CUDA's header of this name: the qualifiers, built-in variables and vector types of device code.
// Enough for kernels compiled to PTX or cubins; there is no host side and no runtime library.
#pragma once

#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __host__ __attribute__((host))
#define __shared__ __attribute__((shared))
#define __constant__ __attribute__((constant))
#define __grid_constant__ __attribute__((grid_constant))
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))
#define __forceinline__ __inline__ __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))

#define MIRROR_VECTOR(name, alignment, type, ...)                              \
    struct __attribute__((device_builtin)) alignas(alignment) name {           \
        type __VA_ARGS__;                                                      \
    };
MIRROR_VECTOR(uint2, 8, unsigned, x, y)
MIRROR_VECTOR(uint3, 4, unsigned, x, y, z)
MIRROR_VECTOR(uint4, 16, unsigned, x, y, z, w)
MIRROR_VECTOR(int2, 8, int, x, y)
MIRROR_VECTOR(int4, 16, int, x, y, z, w)
MIRROR_VECTOR(float2, 8, float, x, y)
MIRROR_VECTOR(float4, 16, float, x, y, z, w)
MIRROR_VECTOR(double2, 16, double, x, y)
MIRROR_VECTOR(dim3, 4, unsigned, x, y, z)
#undef MIRROR_VECTOR

extern const uint3 __attribute__((device_builtin)) threadIdx;
extern const uint3 __attribute__((device_builtin)) blockIdx;
extern const dim3 __attribute__((device_builtin)) blockDim;
extern const dim3 __attribute__((device_builtin)) gridDim;
HEADER

# The toolchain must work before it gets its name.
echo 'extern "C" __global__ void probe(float* x) { x[blockIdx.x * blockDim.x + threadIdx.x] = 1; }' >"$work/probe.cu"
"$root/bin/nvcc" -cubin -arch=sm_90a "$work/probe.cu" -o "$work/probe.cubin" >"$work/probe.log" 2>&1 ||
    die "the fetched nvcc does not work here: $(head -n1 "$work/probe.log")"
echo "$stamp" >"$root/stamp"
# Where a second call was quicker, its toolchain stands there already.
if [ "$(cat "$folder/stamp" 2>/dev/null)" != "$stamp" ]; then
    [ ! -e "$folder" ] || mv -T "$folder" "$work/old"
    mv -T "$root" "$folder" || die "cannot rename to $folder"
fi
echo "$folder"
