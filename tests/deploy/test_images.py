"""The OCI images: read by skopeo as a registry's clients would, and run."""

import hashlib
import http.client
import json
import os
import pathlib
import subprocess
import tarfile

import build_image
import envoy
import pytest
import sidecars

VERSION = build_image.version()
FILES = {"filter": envoy.MODULE, "sidecar": sidecars.PROGRAM}


def skopeo(*arguments):
    done = subprocess.run(["skopeo", *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def built(what, out):
    """Builds an image; its address for skopeo."""
    command = [str(envoy.ROOT / "tests" / "tools" / "build_image.py"), what, str(FILES[what]), "--out", str(out)]
    address, digest = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert address == f"oci:{out}:{VERSION}"
    return address, digest


@pytest.fixture(scope="module", params=list(FILES))
def image(request, tmp_path_factory):
    """What it is, where it is, and what skopeo copied of it into a folder (which checks every digest)."""
    folder = tmp_path_factory.mktemp(request.param)
    address, digest = built(request.param, folder / "image")
    skopeo("copy", "--quiet", address, f"dir:{folder / 'copy'}")
    return request.param, address, digest, folder / "copy"


def layers(copy):
    """The layers of a copied image, last one last."""
    manifest = json.loads((copy / "manifest.json").read_text())
    return [(one["mediaType"], copy / one["digest"].removeprefix("sha256:")) for one in manifest["layers"]]


def test_skopeo_reads_it(image):
    what, address, digest, _ = image
    told = json.loads(skopeo("inspect", address))
    assert told["Digest"] == digest and told["Labels"]["org.opencontainers.image.version"] == VERSION
    assert (told["Os"], told["Architecture"]) == (("wasi", "wasm") if what == "filter" else ("linux", told["Architecture"]))
    assert len(told["Layers"]) == (1 if what == "filter" else 2)


def test_the_same_files_make_the_same_image(image, tmp_path):
    what, _, digest, _ = image
    assert built(what, tmp_path / "again")[1] == digest


def test_istio_finds_the_module_in_the_last_layer(tmp_path):
    """As pkg/wasm/imagefetcher.go does for the compat variant."""
    built("filter", tmp_path)
    index = json.loads((tmp_path / "index.json").read_text())

    def blob(descriptor):
        return tmp_path / "blobs" / "sha256" / descriptor["digest"].removeprefix("sha256:")

    manifest = json.loads(blob(index["manifests"][0]).read_text())
    assert manifest["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
    last = manifest["layers"][-1]
    assert last["mediaType"] == "application/vnd.oci.image.layer.v1.tar+gzip"
    with tarfile.open(blob(last), "r:gz") as archive:
        assert archive.getnames() == ["plugin.wasm"]
        module = archive.extractfile("plugin.wasm").read()
    assert hashlib.sha256(module).digest() == hashlib.sha256(envoy.MODULE.read_bytes()).digest()


@pytest.fixture
def root(tmp_path):
    """The sidecar's root file system, as a container runtime unpacks it."""
    address, _ = built("sidecar", tmp_path / "image")
    skopeo("copy", "--quiet", address, f"dir:{tmp_path / 'copy'}")
    for media_type, file in layers(tmp_path / "copy"):
        assert media_type.endswith("tar+gzip")
        with tarfile.open(file, "r:gz") as archive:
            archive.extractall(tmp_path / "root", filter="fully_trusted")
    return tmp_path / "root"


def inside(root, *arguments):
    """A command that runs the image's program with nothing but the image around it, as its user."""
    if os.geteuid() == 0:
        return ["chroot", f"--userspec={build_image.USER}:{build_image.USER}", str(root), "/azeotrope", *arguments]
    return ["unshare", "--map-root-user", "chroot", str(root), "/azeotrope", *arguments]


def test_the_sidecar_runs_out_of_its_image(root):
    told = subprocess.run(inside(root, "--version"), capture_output=True, text=True, timeout=30)
    assert told.stdout == f"azeotrope {VERSION}\n", told.stderr
    # What the chart mounts.
    for folder in ("data", "secret"):
        (root / folder).mkdir()
        (root / folder).chmod(0o777)
    subprocess.run(inside(root, "rules", "keygen", "--out", "/secret/key"), check=True, capture_output=True, timeout=30)
    (root / "secret" / "token").write_text("a-token-of-filters\n")
    port = envoy.free_ports(1)[0]
    command = inside(root, "serve", f"--listen=127.0.0.1:{port}", "--key=/secret/key", "--token-file=/secret/token", "--data=/data")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            sidecars.wait("it is ready", lambda: process.poll() is None and ready(port), 30)
            assert pathlib.Path(f"/proc/{process.pid}/root").resolve() == root.resolve()
        finally:
            process.terminate()
        assert process.wait(20) == 0, process.stdout.read()


def ready(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    finally:
        connection.close()
