#!/bin/sh
# Makes .cache/venv from tests/requirements.txt, again whenever that file changes, and prints its python.
set -eu
cd "$(dirname "$0")/../.."

venv=.cache/venv
if ! cmp -s tests/requirements.txt "$venv/requirements.txt"; then
    echo "venv: installing tests/requirements.txt" >&2
    mkdir -p .cache
    ${PYTHON:-python3} -m venv "$venv"
    "$venv/bin/pip" --disable-pip-version-check --quiet install --requirement tests/requirements.txt >&2
    cp tests/requirements.txt "$venv/requirements.txt"
fi
echo "$PWD/$venv/bin/python"
