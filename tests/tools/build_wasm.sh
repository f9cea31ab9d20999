#!/bin/sh
# Builds the module and optimises it: target/azeotrope.wasm.
#
# wasm-opt is npm's binaryen, pinned, in .cache/; WASM_OPT=/path uses another.
set -eu
cd "$(dirname "$0")/../.."

BINARYEN=132.0.0
TARGET_DIR=${CARGO_TARGET_DIR:-target}

echo "wasm: compiling for wasm32-wasip1"
cargo build --profile module --target wasm32-wasip1 -p azeotrope-filter ${CARGO_FLAGS:-}

WASM_OPT=${WASM_OPT:-.cache/binaryen-$BINARYEN/node_modules/.bin/wasm-opt}
if ! command -v "$WASM_OPT" >/dev/null 2>&1; then
    echo "wasm: fetching wasm-opt (binaryen $BINARYEN)"
    npm install --silent --no-audit --no-fund --no-save --prefix ".cache/binaryen-$BINARYEN" "binaryen@$BINARYEN"
fi

# What rustc enables for wasm32 and Envoy's V8 has; wasm-opt must be told.
echo "wasm: optimising"
mkdir -p target
"$WASM_OPT" -O3 \
    --enable-bulk-memory --enable-bulk-memory-opt --enable-call-indirect-overlong --enable-multivalue \
    --enable-mutable-globals --enable-nontrapping-float-to-int --enable-reference-types --enable-sign-ext \
    "$TARGET_DIR/wasm32-wasip1/module/azeotrope_filter.wasm" -o target/azeotrope.wasm.new
mv target/azeotrope.wasm.new target/azeotrope.wasm
echo "wasm: target/azeotrope.wasm, $(wc -c <target/azeotrope.wasm) bytes"
