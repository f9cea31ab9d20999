#!/usr/bin/env python3
"""Builds the OCI images of the filter and of the sidecar, as layouts below target/image/. Without Docker; standard library only.

    build_image.py filter target/azeotrope.wasm         → target/image/filter
    build_image.py sidecar target/release/azeotrope     → target/image/sidecar

`filter` is what Istio calls the compat variant, and Envoy Gateway reads too: one layer of tar and gzip with `plugin.wasm` in it.
`sidecar` is a root file system of the program and the shared libraries that it needs, as this machine has them; no shell.

The same files give the same bytes: no times (SOURCE_DATE_EPOCH, else 1970), no owners but root, one order.
"""

import argparse
import datetime
import gzip
import hashlib
import io
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import tarfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
OCI = "application/vnd.oci.image"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
#: Nobody in particular; what the chart runs it as.
USER = 65532


def version() -> str:
    """The workspace's."""
    return re.search(r'^version = "([^"]+)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]


def epoch() -> int:
    return int(os.environ.get("SOURCE_DATE_EPOCH", "0"))


def layer(files: dict[str, tuple[bytes, int]]) -> tuple[bytes, str]:
    """A layer of `files` (path: content and mode): compressed, and the digest of what it was before."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        folders = {str(parent) for path in files for parent in pathlib.PurePosixPath(path).parents} - {"."}
        for path in sorted(folders | set(files)):
            entry = tarfile.TarInfo(path)
            entry.mtime = epoch()
            content, entry.mode = files.get(path, (b"", 0o755))
            entry.type = tarfile.REGTYPE if path in files else tarfile.DIRTYPE
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    plain = buffer.getvalue()
    return gzip.compress(plain, 9, mtime=0), f"sha256:{hashlib.sha256(plain).hexdigest()}"


class Layout:
    """An OCI image layout on disk with one image in it."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "blobs" / "sha256").mkdir(parents=True)

    def blob(self, content: bytes, media_type: str) -> dict:
        """Stores a blob; its descriptor."""
        digest = hashlib.sha256(content).hexdigest()
        (self.folder / "blobs" / "sha256" / digest).write_bytes(content)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}

    def image(self, title: str, layers: list[dict], architecture: str, system: str, config: dict) -> str:
        """Writes configuration, manifest and index; the image's digest."""
        made = [layer(files) for files in layers]
        labels = {
            "org.opencontainers.image.title": title,
            "org.opencontainers.image.version": version(),
            "org.opencontainers.image.licenses": "Apache-2.0",
        }
        created = datetime.datetime.fromtimestamp(epoch(), datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        image = {
            "created": created,
            "architecture": architecture,
            "os": system,
            "config": {**config, "Labels": labels},
            "rootfs": {"type": "layers", "diff_ids": [diff_id for _, diff_id in made]},
            "history": [{"created": created, "created_by": "make image"} for _ in made],
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": f"{OCI}.manifest.v1+json",
            "config": self.blob(encoded(image), f"{OCI}.config.v1+json"),
            "layers": [self.blob(compressed, f"{OCI}.layer.v1.tar+gzip") for compressed, _ in made],
            "annotations": labels,
        }
        described = self.blob(encoded(manifest), manifest["mediaType"])
        named = {**described, "annotations": {"org.opencontainers.image.ref.name": version()}}
        index = {"schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": [named]}
        (self.folder / "index.json").write_bytes(encoded(index))
        (self.folder / "oci-layout").write_bytes(encoded({"imageLayoutVersion": "1.0.0"}))
        return described["digest"]


def encoded(document: dict) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def libraries(program: pathlib.Path) -> dict[str, tuple[bytes, int]]:
    """The loader and the shared libraries that a program needs, by where the loader looks for them."""
    listed = subprocess.run(["ldd", str(program)], check=True, capture_output=True, text=True).stdout
    found = re.findall(r"(/\S+) \(0x", listed)
    if "not found" in listed or not found:
        raise SystemExit(f"{program}: {listed}")
    return {path.lstrip("/"): (pathlib.Path(path).read_bytes(), 0o755) for path in found}


def build_filter(module: pathlib.Path, out: pathlib.Path) -> str:
    files = {"plugin.wasm": (module.read_bytes(), 0o644)}
    return Layout(out).image("azeotrope filter", [files], "wasm", "wasi", {})


def build_sidecar(program: pathlib.Path, out: pathlib.Path) -> str:
    files = {
        "azeotrope": (program.read_bytes(), 0o755),
        "etc/passwd": (f"azeotrope:x:{USER}:{USER}::/:/azeotrope\n".encode(), 0o644),
        "etc/group": (f"azeotrope:x:{USER}:\n".encode(), 0o644),
        # Names of a Redis are looked up in files, then by DNS.
        "etc/nsswitch.conf": (b"hosts: files dns\n", 0o644),
    }
    config = {"Entrypoint": ["/azeotrope"], "Cmd": ["serve", "--help"], "User": f"{USER}:{USER}", "WorkingDir": "/",
              "ExposedPorts": {"8470/tcp": {}, "8471/tcp": {}}, "StopSignal": "SIGTERM"}
    architecture = ARCHITECTURES[platform.machine()]
    return Layout(out).image("azeotrope sidecar", [libraries(program), files], architecture, "linux", config)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["filter", "sidecar"])
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, help="default: target/image/WHAT")
    arguments = parser.parse_args()
    out = arguments.out or ROOT / "target" / "image" / arguments.what
    digest = {"filter": build_filter, "sidecar": build_sidecar}[arguments.what](arguments.file, out)
    print(f"oci:{out}:{version()} {digest}")


if __name__ == "__main__":
    main()
