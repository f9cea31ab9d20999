#!/usr/bin/env bash
# Fuzzes one target with PROGRAM, which run.sh has built: one.sh <seconds> <target>
set -euo pipefail
seconds=$1 target=$2
# An input takes milliseconds at most; ten seconds are a hang, even on a machine that is busy.
options=(-timeout=10 -rss_limit_mb=1024 -max_len=16384 -max_total_time="$seconds" -print_final_stats=1)
# CI begins at the same place each time: a change is to be blamed for what fails there. Long runs begin anywhere.
[ -z "${SEED:-}" ] || options+=("-seed=$SEED")
[ ! -f "tests/fuzz/words/$target" ] || options+=("-dict=tests/fuzz/words/$target")
committed=tests/fuzz/corpus/$target found=.cache/fuzz/$target log=target/fuzz/$target.log
mkdir -p target/fuzz/failed "$found"

if ! TARGET=$target "$PROGRAM" "${options[@]}" -artifact_prefix="target/fuzz/failed/$target-" "$found" "$committed" >"$log" 2>&1; then
    tail -n 40 "$log"
    echo "fuzz $target: FAILED; the input is in target/fuzz/failed/. Once mended, put it into $committed/"
    # Tells xargs to begin no other.
    exit 255
fi
runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
covered=$(grep -o 'cov: [0-9]*' "$log" | tail -n 1)
printf 'fuzz %-14s %10s inputs, %s\n' "$target" "$runs" "$covered"
