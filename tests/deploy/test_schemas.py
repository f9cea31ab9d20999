"""Every Kubernetes resource in envoy/ fits the schema of the project that defines it."""

import copy
import subprocess

import fetch_deploy_tools as tools
import pytest
import schemas
import yaml
from conftest import DEPLOY, documents

# Envoy Gateway's CRDs are in no package: tests of these are in test_gateways.py, but for EnvoyProxy.
ENVOY_GATEWAY = "gateway.envoyproxy.io/v1alpha1"
EVERYTHING = """
serviceMonitor: { enabled: true, labels: { release: prometheus } }
prometheusRule: { enabled: true }
dashboard: { enabled: true }
ecds: { enabled: true, plugin: { public_keys: ["00"], digest_key: { current: not-for-everybody } } }
rules: { format: 1, version: 1 }
podAnnotations: { a: b }
podLabels: { c: d }
nodeSelector: { disk: ssd }
tolerations: [{ key: llm, operator: Exists }]
extraArgs: [--expire-hours=48]
extraEnv: [{ name: OTEL_SERVICE_NAME, value: azeotrope }]
imagePullSecrets: [{ name: registry }]
"""
CHARTS = {"defaults": "{}", "everything": EVERYTHING, "embedded": EVERYTHING + "store: embedded\n"}


def helm(*arguments, values="{}", check=True):
    command = [str(tools.HELM), *arguments, "--values", "-"]
    done = subprocess.run(command, input=values, capture_output=True, text=True, timeout=60)
    assert not check or done.returncode == 0, done.stderr
    return done


def chart(values):
    """The resources that the chart makes."""
    made = helm("template", "azeotrope", str(DEPLOY / "chart"), "--namespace", "azeotrope", values=values).stdout
    return [one for one in yaml.safe_load_all(made) if one]


def test_manifests_fit():
    files = sorted(path.relative_to(DEPLOY) for folder in ("istio", "envoy-gateway") for path in (DEPLOY / folder).glob("*.yaml"))
    resources = [one for name in files for one in documents(name) if one["apiVersion"] != ENVOY_GATEWAY]
    assert {"TrafficExtension", "WasmPlugin", "EnvoyFilter", "ServiceEntry", "Gateway"} <= {one["kind"] for one in resources}
    assert schemas.problems(resources) == []


@pytest.mark.parametrize("values", list(CHARTS))
def test_what_the_chart_makes_fits(values):
    resources = chart(CHARTS[values])
    kinds = {one["kind"] for one in resources}
    assert {"Deployment", "Service", "NetworkPolicy"} <= kinds
    assert ("PodDisruptionBudget" in kinds) == (values != "embedded")
    assert ("PersistentVolumeClaim" in kinds) == (values == "embedded")
    assert {"ServiceMonitor", "PrometheusRule"} <= kinds or values == "defaults"
    assert schemas.problems(resources) == []


def test_secrets_of_the_plugin_are_in_a_secret():
    def mounted(resources):
        """The Secret that plugin.json is read from."""
        (deployment,) = [one for one in resources if one["kind"] == "Deployment"]
        pod = deployment["spec"]["template"]["spec"]
        (path,) = [one.partition("=")[2] for one in pod["containers"][0]["args"] if one.startswith("--ecds-plugin=")]
        volume = next(one["name"] for one in pod["containers"][0]["volumeMounts"] if path.startswith(one["mountPath"]))
        return next(one["secret"]["secretName"] for one in pod["volumes"] if one["name"] == volume)

    made = chart(EVERYTHING)
    having = [(one["kind"], one["metadata"]["name"]) for one in made if "not-for-everybody" in str(one)]
    assert having == [("Secret", mounted(made))]
    own = chart("ecds: { enabled: true, secret: mine }")
    assert mounted(own) == "mine" and not [one for one in own if one["kind"] == "Secret"]


def test_schemas_refuse_what_they_do_not_know():
    (extension,), resources = documents("istio/traffic-extension.yaml"), chart(CHARTS["everything"])
    by_kind = {one["kind"]: one for one in resources}
    wrong = [("TrafficExtension", extension, ("spec", "wasm", "failStrategy"), "FAIL_SOFT"),
             ("TrafficExtension", extension, ("spec", "wasm", "failStrategi"), "FAIL_RELOAD"),
             ("Deployment", by_kind["Deployment"], ("spec", "template", "spec", "automountToken"), False),
             ("Deployment", by_kind["Deployment"], ("spec", "replicas"), "two"),
             ("ServiceMonitor", by_kind["ServiceMonitor"], ("spec", "endpoint"), [])]
    for kind, resource, (*path, last), value in wrong:
        changed = copy.deepcopy(resource)
        place = changed
        for name in path:
            place = place[name]
        place[last] = value
        assert any(last in found or "integer" in found for found in schemas.problems([changed])), (kind, last)


def test_the_chart_refuses_values_that_it_does_not_know():
    helm("lint", str(DEPLOY / "chart"))
    for values in ("replica: 3", "store: mysql", "image: { repository: x, digest: sha256:1 }", "networkPolicy: { enable: true }"):
        assert helm("template", "x", str(DEPLOY / "chart"), values=values, check=False).returncode != 0, values
