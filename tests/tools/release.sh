#!/usr/bin/env bash
# What a release is: release.sh <Ed25519 private key, PEM> <folder>. Program, module, their bills of materials (CycloneDX), the
# sums of all, and a signature over the sums. `openssl genpkey -algorithm ed25519 -out key.pem` makes a key.
set -euo pipefail
cd "$(dirname "$0")/../.."
key=${1:?the Ed25519 key that signs, in PEM}
folder=${2:?the folder to fill}
host=$(rustc -vV | sed -n 's/^host: //p')
rm -rf "$folder"
mkdir -p "$folder"
cp target/release/azeotrope "$folder/azeotrope-$host"
cp target/azeotrope.wasm LICENSE "$folder/"
bill() { # of a crate: folder, target, name of the file
    .cache/tools/bin/cargo-cyclonedx cyclonedx --quiet --format json --spec-version 1.5 --no-build-deps \
        --manifest-path "$1/Cargo.toml" --target "$2" --override-filename azeotrope-bill
    mv "$1/azeotrope-bill.json" "$folder/$3"
    # It writes one beside every crate of the workspace.
    find src tests -name azeotrope-bill.json -delete
}
bill src/sidecar "$host" azeotrope.cdx.json
bill src/filter wasm32-wasip1 azeotrope.wasm.cdx.json
(cd "$folder" && sha256sum -- * >SHA256SUMS)
openssl pkeyutl -sign -rawin -inkey "$key" -in "$folder/SHA256SUMS" -out "$folder/SHA256SUMS.sig"
openssl pkey -in "$key" -pubout -out "$folder/release.pub.pem"
echo "released into $folder; publish release.pub.pem where people can compare it, and check with tests/tools/verify_release.sh"
