"""A release: what is in it, that its signature is verified, and that any change of it is seen."""

import json
import pathlib
import subprocess

import pytest

TOOLS = pathlib.Path(__file__).resolve().parent


def run(*command):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300)


def key(folder, name):
    """An Ed25519 key pair: (private, public)."""
    private, public = folder / f"{name}.pem", folder / f"{name}.pub.pem"
    assert run("openssl", "genpkey", "-algorithm", "ed25519", "-out", private).returncode == 0
    assert run("openssl", "pkey", "-in", private, "-pubout", "-out", public).returncode == 0
    return private, public


@pytest.fixture
def release(tmp_path):
    """(folder, public key) of a release that is in order."""
    private, public = key(tmp_path, "ours")
    done = run(TOOLS / "release.sh", private, tmp_path / "release")
    assert done.returncode == 0, done.stderr
    return tmp_path / "release", public


def verify(folder, public):
    return run(TOOLS / "verify_release.sh", folder, public)


def test_a_release_has_its_bill_of_materials_and_is_verified(release):
    folder, public = release
    assert verify(folder, public).returncode == 0
    for name, root, part in [("azeotrope.cdx.json", "azeotrope", "axum"),
                             ("azeotrope.wasm.cdx.json", "azeotrope-filter", "siphasher")]:
        bill = json.loads((folder / name).read_text())
        assert bill["bomFormat"] == "CycloneDX" and bill["metadata"]["component"]["name"] == root
        assert part in {component["name"] for component in bill["components"]}
    listed = {line.split()[-1] for line in (folder / "SHA256SUMS").read_text().splitlines()}
    assert listed == {path.name for path in folder.iterdir()} - {"SHA256SUMS", "SHA256SUMS.sig", "release.pub.pem"}


def test_what_was_changed_or_signed_by_others_is_refused(release, tmp_path):
    folder, public = release
    _, other = key(tmp_path, "theirs")
    assert verify(folder, other).returncode != 0
    module = folder / "azeotrope.wasm"
    good = module.read_bytes()
    module.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    assert verify(folder, public).returncode != 0
    module.write_bytes(good)
    assert verify(folder, public).returncode == 0
    # Sums that fit a changed file are not what was signed.
    (folder / "LICENSE").write_text("mine")
    sums = run("sh", "-c", f"cd {folder} && sha256sum $(awk '{{print $2}}' SHA256SUMS)").stdout
    (folder / "SHA256SUMS").write_text(sums)
    assert verify(folder, public).returncode != 0
