#!/usr/bin/env bash
# Mean average precision (GL3D protocol) of every setting worth comparing, on a folder of photographs with ground truth:
#     scripts/map-table.sh DATA [WORK [COMMAND]]
# DATA holds images/, image_list.txt and gt_pairs.txt; WORK (default: a temporary folder) keeps descriptors between runs of the same COMMAND (default:
# artifacts/mirror/mirror; version and commit count), model and list, and never an unfinished folder of them. Prints a Markdown table; a row's command
# is its two columns after `mirror extract` and `mirror query`. Times are of one run, extraction and search in milliseconds an image.
set -euo pipefail
cd "$(dirname "$0")/.."
data=$(realpath "$1")
mirror=${3:-artifacts/mirror/mirror}
work=${2:-$(mktemp -d)}/$($mirror --version)-$(sha256sum "$data/image_list.txt" | cut -c1-8)
mkdir -p "$work"

number() { sed -nE "s/.*\"$1\":([0-9.eE+-]+).*/\1/p" "$2"; } # FIELD FILE

# row LABEL "EXTRACT OPTIONS" "QUERY OPTIONS"
row() (
    label=$1 extract=$2 query=$3
    model=$(dirname "$mirror")/models/default.safetensors
    [[ $extract != "--model "* ]] || model=$(cut -d ' ' -f 2 <<<"$extract")
    folder=$work/$(sha256sum "$model" | cut -c1-12)$(tr -c 'A-Za-z0-9.\n' '_' <<<"${extract:+ }${extract//"$model"/}")
    # shellcheck disable=SC2086 # options are words
    if [ ! -f "$folder.json" ]; then
        trap 'rm -rf "$folder" "$folder.tmp"' EXIT
        trap 'exit 130' INT
        trap 'exit 143' TERM
        rm -rf "$folder"
        $mirror extract --images "$data/image_list.txt" --root "$data/images" --out "$folder" $extract --json >"$folder.tmp" 2>"$folder.log" || { cat "$folder.log" >&2 && return 1; }
        mv "$folder.tmp" "$folder.json"
        trap - EXIT INT TERM
    fi
    # shellcheck disable=SC2086
    $mirror query --features "$folder" --out "$work/out" $query --json >"$work/query.json" 2>"$work/query.log" || { cat "$work/query.log" >&2 && return 1; }
    score=$($mirror eval overlap "$work/out/match_pairs" "$data/gt_pairs.txt" --json)
    awk -v label="$label" -v extract="$extract" -v query="$query" -v images="$(number images "$folder.json")" -v seconds="$(number extract_seconds "$folder.json")" \
        -v search="$(number seconds "$work/query.json")" -v regions="$(number regions "$folder.json")" -v dim="$(number whitened_dimension "$work/query.json")" \
        -v map="$(number mean_average_precision <(echo "$score"))" 'BEGIN {
            printf "| %s | `%s` | `%s` | %s | %s | **%.4f** | %.1f + %.1f |\n", label, extract, query, regions, dim == "" ? "-" : dim, map, 1000 * seconds / images, 1000 * search / images }'
)

random=$work/random.safetensors
[ -f "$random" ] || dotnet run -c Release --project benchmarks/Mirror.Benchmarks -- random-model half_googlenet "$random" >&2

echo '| what | extract | query | R | dim | mAP | ms an image |'
echo '| --- | --- | --- | --- | --- | --- | --- |'
row "default" "" "--dim 256"
row "random weights" "--model $random --size 448" "--dim 256" | sed "s|$work/||g"
row "random weights, no whitening" "--model $random --size 448" "" | sed "s|$work/||g"
for size in 224 448 896; do
    row "MAC, no whitening" "--size $size --regions 1" ""
    row "MAC" "--size $size --regions 1" "--dim 256"
    row "GeM of the whole map, no whitening" "--size $size --regions 1 --pool gem" ""
    row "GeM of the whole map" "--size $size --regions 1 --pool gem" "--dim 256"
    row "MAC, whole photograph, no whitening" "--size $size --fit whole --regions 1" ""
    row "GeM of the whole map, whole photograph, no whitening" "--size $size --fit whole --regions 1 --pool gem" ""
done
for size in 224 448 896; do
    for fit in crop whole; do
        row "R-MAC, no whitening" "--size $size --fit $fit" "--similarity r-mac"
        row "R-MAC" "--size $size --fit $fit" "--similarity r-mac --dim 256"
        row "PR-MAC, no whitening" "--size $size --fit $fit" ""
        row "PR-MAC" "--size $size --fit $fit" "--dim 256"
        row "PR-MAC of GeM regions" "--size $size --fit $fit --pool gem" "--dim 256"
        row "PR-MAC of average regions" "--size $size --fit $fit --pool avg" "--dim 256"
        row "PR-MAC, regions 1,2,3" "--size $size --fit $fit --regions 1,2,3" "--dim 256"
    done
done
for extract in "--size 448 --fit crop" "--size 896 --fit whole"; do
    for dim in 64 128 512; do
        row "PR-MAC, $dim dimensions" "$extract" "--dim $dim"
    done
    for expand in "--expand 3" "--expand 5" "--expand 10" "--expand 5 --expand-alpha 1" "--expand 5 --expand-pairing same" "--expand 5 --expand-pairing same --expand-alpha 1"; do
        row "query expansion" "$extract" "--dim 256 $expand"
    done
    for augment in "--augment 3" "--augment 5" "--augment 10"; do
        row "database augmentation" "$extract" "--dim 256 $augment"
    done
    row "both" "$extract" "--dim 256 --augment 5 --expand 5"
done
for size in 320 384 448 512 576 640 704 768 896; do
    row "PR-MAC" "--size $size --fit whole" "--dim 256"
    row "query expansion" "--size $size --fit whole" "--dim 256 --expand 5"
done
row "two scales" "--size 448 --multi-scale" "--dim 256"
row "three scales" "--size 448 --fit whole --multi-scale" "--dim 256"
