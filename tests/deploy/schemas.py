"""Checks Kubernetes resources against the schemas of the projects that define them. Unknown fields are refused.

    problems = schemas.problems([resource, ...])

Istio's are Pydantic models that somebody generates from its CRDs; Kubernetes', the Gateway API's and the Prometheus operator's
are compiled JSON schemas. Envoy Gateway's CRDs are in no package: `envoy_gateway.py` reads its resources field by field.
"""

import ast
import functools
import importlib
import importlib.abc
import importlib.machinery
import json
import pathlib
import subprocess
import sys
import types

import pydantic
import typing_extensions

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "tools"))
import fetch_deploy_tools as tools  # noqa: E402

ISTIO = {
    ("extensions.istio.io/v1alpha1", "TrafficExtension"): "extensions.v1alpha1",
    ("extensions.istio.io/v1alpha1", "WasmPlugin"): "extensions.v1alpha1",
    ("networking.istio.io/v1alpha3", "EnvoyFilter"): "networking.v1alpha3",
    ("networking.istio.io/v1", "ServiceEntry"): "networking.v1",
    ("networking.istio.io/v1", "DestinationRule"): "networking.v1",
    ("telemetry.istio.io/v1", "Telemetry"): "telemetry.v1",
}
#: Resources that nothing here has; without their many classes the models are ready sooner.
OTHERS = ("Gateway", "ProxyConfig", "Sidecar", "VirtualService", "WorkloadEntry", "WorkloadGroup")


class Strict(pydantic.BaseModel):
    """What every generated model is: nothing that the schema does not know."""

    model_config = pydantic.ConfigDict(extra="forbid")


class FieldsOnly(ast.NodeTransformer):
    """Of a generated class only its fields: the builders beside them need a newer Python than ours."""

    def visit_ClassDef(self, node):
        if node.name.startswith(OTHERS):
            return None
        node.body = [part for part in node.body if isinstance(part, ast.AnnAssign)] or [ast.Pass()]
        return node


class Loader(importlib.machinery.SourceFileLoader):
    def source_to_code(self, data, path, **_):
        return compile(ast.fix_missing_locations(FieldsOnly().visit(ast.parse(data, path))), path, "exec")


class Finder(importlib.abc.MetaPathFinder):
    """Finds the models, and stands in for the library that they are written with."""

    def find_spec(self, name, path, _=None):
        if name.split(".")[0] != "cloudcoil":
            return None
        if name in ("cloudcoil.pydantic", "cloudcoil.resources"):
            return importlib.machinery.ModuleSpec(name, StandIn())
        place = tools.ISTIO.joinpath(*name.split("."))
        if place.is_dir():
            spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
            spec.submodule_search_locations = [str(place)]
            return spec
        return importlib.util.spec_from_loader(name, Loader(name, f"{place}.py"))


class StandIn(importlib.abc.Loader):
    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        names = ["BaseBuilder", "BaseModelBuilder", "BuilderContextBase", "GenericListBuilder", "ListBuilderContext", "UNSET"]
        module.__dict__.update(dict.fromkeys(names), BaseModel=Strict, Resource=Strict, ResourceList=list,
                               Never=typing_extensions.Never, Self=typing_extensions.Self)
        return module

    def exec_module(self, module):
        pass


@functools.cache
def istio_model(module, kind):
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder())
    return getattr(importlib.import_module(f"cloudcoil.models.istio.{module}"), kind)


def istio(resource):
    model = istio_model(ISTIO[resource["apiVersion"], resource["kind"]], resource["kind"])
    try:
        model.model_validate(resource)
    except pydantic.ValidationError as error:
        return [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
    return []


def compiled(resources):
    """Problems of resources whose schemas are compiled, all in one run of Node."""
    script = pathlib.Path(__file__).with_name("compiled_schemas.mjs")
    command = ["node", str(script), str(tools.KUBERNETES / "node_modules")]
    done = subprocess.run(command, input=json.dumps(resources), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def problems(resources):
    """What is wrong: `Kind name: where: what`."""
    found, others = [], []
    for resource in resources:
        if (resource["apiVersion"], resource["kind"]) in ISTIO:
            found += [f"{resource['kind']} {resource['metadata']['name']}: {what}" for what in istio(resource)]
        else:
            others.append(resource)
    return found + (compiled(others) if others else [])
