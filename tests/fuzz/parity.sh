#!/usr/bin/env bash
# The engine natively against wasm: every target over every corpus, and so many mutations of each input, sees the same.
set -euo pipefail
cd "$(dirname "$0")/../.."
mutations=${1:?mutations of each input}
# Linking for wasm takes one core: the native one is built meanwhile, of the engine that the program has.
cargo build --quiet --release -p azeotrope -p azeotrope-fuzz --bin azeotrope-fuzz &
cargo build --quiet --profile module -p azeotrope-fuzz --target wasm32-wasip1
wait $!
program=target/release/azeotrope-fuzz
mkdir -p target/parity
"$program" inputs tests/fuzz/corpus "$mutations" >target/parity/inputs
"$program" witness <target/parity/inputs >target/parity/native &
node --no-warnings tests/bench/wasi.mjs target/wasm32-wasip1/module/azeotrope-fuzz.wasm witness \
    <target/parity/inputs >target/parity/wasm
wait $!
if ! cmp target/parity/native target/parity/wasm; then
    diff target/parity/native target/parity/wasm | head -n 20
    exit 1
fi
echo "native and wasm: $(wc -l <target/parity/native) inputs, the same to the bit"
