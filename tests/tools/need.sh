#!/bin/sh
# Sees to it that programs are there: need.sh <what needs them> <program>=<Debian package>...
#
# Root on a machine with apt gets those that are missing; anybody else is told what to install.
set -eu
what=$1
shift
missing=
for pair in "$@"; do
    command -v "${pair%%=*}" >/dev/null || missing="$missing ${pair#*=}"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "$what needs what is not installed (Debian: apt install$missing)" >&2
    exit 1
fi
# One installs at a time; who waited may find it done.
if [ -z "${NEED_LOCKED:-}" ]; then
    exec env NEED_LOCKED=1 flock /tmp/azeotrope-need.lock "$0" "$what" "$@"
fi
echo "$what: installing$missing"
apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
