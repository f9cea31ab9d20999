#!/bin/sh
# Whether a release is whole and of whom it says: verify_release.sh <folder> <public key, PEM, from elsewhere>
set -eu
key=$(realpath "${2:?the public key}")
cd "${1:?the folder of the release}"
openssl pkeyutl -verify -rawin -pubin -inkey "$key" -sigfile SHA256SUMS.sig -in SHA256SUMS >/dev/null ||
    { echo "SHA256SUMS is not what the owner of $key signed"; exit 1; }
sha256sum --check --strict --quiet SHA256SUMS || { echo "files of the release were changed"; exit 1; }
echo "the release is whole, and signed by the owner of $key"
