#!/usr/bin/env bash
# Fuzzes every target for a time, as many at once as there are processors: run.sh <seconds each> [target...]
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

if [ "$how" != minimise ]; then
    export PROGRAM=$program
    printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -n 1 tests/fuzz/one.sh "$how"
    exit
fi
for target in "${targets[@]}"; do
    committed=tests/fuzz/corpus/$target found=.cache/fuzz/$target
    mkdir -p "$found"
    # The smaller an input the sooner it is taken; what our own seeds cover stays theirs.
    kept=$(mktemp -d)
    TARGET=$target "$program" -merge=1 -max_len=2048 "$kept" "$committed" "$found" 2>/dev/null
    for input in "$kept"/*; do
        [ -f "$input" ] && ! cmp -s "$input" "$committed"/* && cp "$input" "$committed/"
    done
    rm -r "$kept"
done
