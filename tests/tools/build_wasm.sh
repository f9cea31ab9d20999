#!/bin/sh
# Builds the module and optimises it: target/azeotrope.wasm; with `edge`, the one for CDN edges: target/azeotrope-edge.wasm;
# with `simd`, the module with instructions for vectors (simd128), which Envoy's V8 has: target/azeotrope-simd.wasm; with `trap`, one
# that panics when a test asks for it: target/trap.wasm.
#
# wasm-opt is npm's binaryen, pinned, in .cache/; WASM_OPT=/path uses another.
set -eu
cd "$(dirname "$0")/../.."

BINARYEN=132.0.0
TARGET_DIR=${CARGO_TARGET_DIR:-target}
OUT=target/azeotrope.wasm
CALLED="proxy_on_tick proxy_on_http_call_response"
RUSTFLAGS_MORE=
FEATURES=
if [ "${1:-}" = simd ]; then
    OUT=target/azeotrope-simd.wasm
    RUSTFLAGS_MORE=", '-Ctarget-feature=+simd128'"
    FEATURES=--enable-simd
    TARGET_DIR=$TARGET_DIR/simd
fi
if [ "${1:-}" = edge ]; then
    OUT=target/azeotrope-edge.wasm
    CALLED=
    CARGO_FLAGS="--no-default-features ${CARGO_FLAGS:-}"
fi
if [ "${1:-}" = trap ]; then
    OUT=target/trap.wasm
    CARGO_FLAGS="--features trap ${CARGO_FLAGS:-}"
fi

echo "wasm: compiling for wasm32-wasip1"
# Names of folders on this machine do not belong into the module. (Joined to the flags in .cargo/config.toml.)
REGISTRY=${CARGO_HOME:-$HOME/.cargo}
cargo build --profile module --target wasm32-wasip1 --target-dir "$TARGET_DIR" -p azeotrope-filter ${CARGO_FLAGS:-} --config \
    "target.wasm32-wasip1.rustflags = ['--remap-path-prefix=$REGISTRY=~', '--remap-path-prefix=$PWD=.'$RUSTFLAGS_MORE]"

WASM_OPT=${WASM_OPT:-.cache/binaryen-$BINARYEN/node_modules/.bin/wasm-opt}
if ! command -v "$WASM_OPT" >/dev/null 2>&1; then
    echo "wasm: fetching wasm-opt (binaryen $BINARYEN)"
    npm install --silent --no-audit --no-fund --no-save --prefix ".cache/binaryen-$BINARYEN" "binaryen@$BINARYEN"
fi

# What rustc enables for wasm32 and Envoy's V8 has; binaryen must be told.
FEATURES="$FEATURES --enable-bulk-memory --enable-bulk-memory-opt --enable-call-indirect-overlong --enable-multivalue
    --enable-mutable-globals --enable-nontrapping-float-to-int --enable-reference-types --enable-sign-ext"

# A host looks each callback up and does without those that are not there: a timer's and a call's on an edge.
KEPT="memory _initialize proxy_abi_version_0_2_1 proxy_on_memory_allocate proxy_on_context_create proxy_on_vm_start
    proxy_on_configure proxy_on_delete $CALLED
    proxy_on_request_headers proxy_on_request_body proxy_on_request_trailers
    proxy_on_response_headers proxy_on_response_body proxy_on_response_trailers"

echo "wasm: optimising"
mkdir -p target
graph=$OUT.exports.json
{
    echo '[{"name": "host", "root": true, "reaches": ['
    for name in $KEPT; do printf '"%s", ' "$name"; done | sed 's/, $//'
    echo ']}'
    for name in $KEPT; do echo ", {\"name\": \"$name\", \"export\": \"$name\"}"; done
    echo ']'
} >"$graph"
BIN=$(dirname "$(command -v "$WASM_OPT")")
# shellcheck disable=SC2086
"$BIN/wasm-metadce" $FEATURES --graph-file "$graph" \
    "$TARGET_DIR/wasm32-wasip1/module/azeotrope_filter.wasm" -o "$OUT.kept" >/dev/null
# shellcheck disable=SC2086
"$WASM_OPT" -Oz --converge --strip-producers --strip-target-features $FEATURES "$OUT.kept" -o "$OUT.new"
rm "$OUT.kept" "$graph"
mv "$OUT.new" "$OUT"
echo "wasm: $OUT, $(wc -c <"$OUT") bytes"
