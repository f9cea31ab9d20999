#!/usr/bin/env bash
# The module again, from the same sources in another folder, another target folder and another CARGO_HOME: the same bytes as
# target/azeotrope.wasm, which must be there.
set -euo pipefail
cd "$(dirname "$0")/../.."
elsewhere=$(mktemp -d)
trap 'rm -rf "$elsewhere"' EXIT
mkdir -p "$elsewhere/a/folder" "$elsewhere/home"
# What git knows of, as it is now.
git ls-files -z | tar --null --files-from - -cf - | tar -xf - -C "$elsewhere/a/folder"
home=${CARGO_HOME:-$HOME/.cargo}
for shared in registry git; do
    [ ! -e "$home/$shared" ] || ln -s "$home/$shared" "$elsewhere/home/$shared"
done
mkdir -p "$elsewhere/a/folder/.cache"
for tool in "$PWD"/.cache/binaryen-*; do ln -s "$tool" "$elsewhere/a/folder/.cache/"; done
RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup} CARGO_HOME=$elsewhere/home CARGO_TARGET_DIR=$elsewhere/target \
    "$elsewhere/a/folder/tests/tools/build_wasm.sh"
sha256sum target/azeotrope.wasm "$elsewhere/a/folder/target/azeotrope.wasm"
cmp target/azeotrope.wasm "$elsewhere/a/folder/target/azeotrope.wasm"
echo "the module is reproducible"
