#!/bin/sh
# Runs a command with a Redis of its own, whose address is in AZEOTROPE_STORE.
set -eu
command -v redis-server >/dev/null || { echo 'this needs redis-server (Debian: redis-server)'; exit 1; }
dir=$(mktemp -d)
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly yes --dir "$dir" >/dev/null &
redis=$!
trap 'kill $redis 2>/dev/null; wait $redis 2>/dev/null || true; rm -rf "$dir"' EXIT
until redis-cli -p "$port" ping >/dev/null 2>&1; do sleep 0.1; done
AZEOTROPE_STORE=redis://127.0.0.1:$port "$@"
