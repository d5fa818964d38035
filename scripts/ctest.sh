#!/usr/bin/env bash
# ctest of one preset without the native test programs (which scripts/test.sh runs itself), counted like the other runners.
set -uo pipefail
cd "$(dirname "$0")/.."
output=$(ctest --preset "$1" -E '^(mirror|simt)_tests' 2>&1)
status=$?
echo "$output"
total=$(sed -nE 's/^.*, ([0-9]+) tests failed out of ([0-9]+)$/\1 \2/p' <<<"$output")
read -r failed all <<<"$total"
skipped=$(grep -c '\*\*\*Skipped' <<<"$output")
echo "$((all - failed - skipped)) passed, $failed failed, $skipped skipped"
exit $status
