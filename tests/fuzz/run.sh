#!/usr/bin/env bash
# Fuzzes every target for a time, one after the other: run.sh <seconds each> [target...]
# run.sh minimise [target...] puts what was found interesting into the corpora here, as few and small files as possible.
#
# What is found stays in .cache/fuzz/<target>; an input that fails is in target/fuzz/failed/. Nothing here needs nightly Rust:
# the engine has no unsafe code, so libFuzzer runs with coverage and without sanitizers. SANITIZER=address adds one (slower;
# it needs RUSTC_BOOTSTRAP=1, which is set for it).
set -euo pipefail
cd "$(dirname "$0")/../.."
how=${1:?seconds for each target, or minimise}
shift
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    mapfile -t targets < <(sed -n 's/^ *Target { name: "\([a-z]*\)".*/\1/p' tests/fuzz/lib.rs)
fi
sanitizer=${SANITIZER:-none}
[ "$sanitizer" = none ] || export RUSTC_BOOTSTRAP=1
.cache/tools/bin/cargo-fuzz build --fuzz-dir tests/fuzz/libfuzzer --target-dir target/fuzz --sanitizer "$sanitizer" any
program=target/fuzz/$(rustc -vV | sed -n 's/^host: //p')/release/any
# An input takes milliseconds at most; ten seconds are a hang, even on a machine that is busy.
limits=(-timeout=10 -rss_limit_mb=1024 -max_len=16384)
# CI begins at the same place each time: a change is to be blamed for what fails there. Long runs begin anywhere.
[ -z "${SEED:-}" ] || limits+=("-seed=$SEED")
mkdir -p target/fuzz/failed

for target in "${targets[@]}"; do
    committed=tests/fuzz/corpus/$target found=.cache/fuzz/$target
    mkdir -p "$found"
    words=()
    [ ! -f "tests/fuzz/words/$target" ] || words=("-dict=tests/fuzz/words/$target")
    if [ "$how" = minimise ]; then
        # The smaller an input the sooner it is taken; what our own seeds cover stays theirs.
        kept=$(mktemp -d)
        TARGET=$target "$program" -merge=1 -max_len=2048 "$kept" "$committed" "$found" 2>/dev/null
        for input in "$kept"/*; do
            [ -f "$input" ] && ! cmp -s "$input" "$committed"/* && cp "$input" "$committed/"
        done
        rm -r "$kept"
        continue
    fi
    log=target/fuzz/$target.log
    if ! TARGET=$target "$program" "${limits[@]}" "${words[@]}" -max_total_time="$how" -print_final_stats=1 \
        -artifact_prefix="target/fuzz/failed/$target-" "$found" "$committed" >"$log" 2>&1; then
        tail -n 40 "$log"
        echo "fuzz $target: FAILED; the input is in target/fuzz/failed/. Once mended, put it into $committed/"
        exit 1
    fi
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    covered=$(grep -o 'cov: [0-9]*' "$log" | tail -n 1)
    printf 'fuzz %-14s %10s inputs, %s\n' "$target" "$runs" "$covered"
done
