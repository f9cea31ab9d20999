"""The filter on Istio's gateway and on Envoy Gateway's: the manifests here, translated as these do, in a real Envoy."""

import client
import envoy_gateway
import istiod
import pytest
from conftest import documents, gateway

# More than Istio and Envoy Gateway let a listener hold.
LARGE = client.chat("word " * 60_000)
SPOOFED = [("authorization", "Bearer sk-gateway"), ("x-azeotrope", "action=allow")]


def extension_gateway(name):
    (resource,) = documents(name)
    config, manager = gateway()
    added = istiod.extension(resource)
    istiod.insert_before_router(manager, istiod.discovery(added["name"]))
    return config, added


def judged(proxy, upstream, body):
    """What upstream is told of a request, which must have reached it, and must have been judged."""
    counted = proxy.metric("requests.chat_completions")
    answer = client.post(proxy.port, body=body, headers=SPOOFED)
    assert answer.status == 200, answer
    assert proxy.metric("requests.chat_completions") == counted + 1
    assert proxy.access_log(counted + 1)[-1]["azeotrope"].startswith("action=allow, would=allow, ")
    return answer.headers.get("x-stand-in-azeotrope")


@pytest.mark.parametrize("name", ["istio/traffic-extension.yaml", "istio/wasm-plugin.yaml"])
def test_istio_judges_every_request_and_tells_upstream_nothing(run, upstream, name):
    proxy = run(*extension_gateway(name))
    assert judged(proxy, upstream, client.chat("hello")) is None
    assert judged(proxy, upstream, LARGE) is None
    assert "vm_reload" in " ".join(proxy.stats("wasm.")), "a filter that fails must be loaded anew"


def test_istio_with_held_headers_tells_upstream_the_verdict(run, upstream):
    (resource,) = documents("istio/held-headers.yaml")
    config, manager = gateway()
    added = istiod.patch(resource, manager)
    proxy = run(config, added)
    for body in (client.chat("hello"), LARGE):
        assert judged(proxy, upstream, body).startswith("action=allow")


def test_envoy_gateway_judges_every_request_and_tells_upstream_nothing(run, upstream):
    (policy,) = documents("envoy-gateway/extension-policy.yaml")
    config, manager = gateway()
    envoy_gateway.add(manager, policy)
    proxy = run(config)
    for body in (client.chat("hello"), LARGE):
        assert judged(proxy, upstream, body) is None


def test_envoy_gateway_with_patches_tells_upstream_the_verdict(run, upstream):
    (policy,), (patches,) = documents("envoy-gateway/extension-policy.yaml"), documents("envoy-gateway/patch-policy.yaml")
    # As the comment there says.
    policy["spec"]["wasm"][0]["config"]["headers"] = "held"
    config, manager = gateway()
    envoy_gateway.add(manager, policy)
    envoy_gateway.patch(patches, config, manager)
    proxy = run(config)
    for body in (client.chat("hello"), LARGE):
        assert judged(proxy, upstream, body).startswith("action=allow")
    assert "vm_reload" in " ".join(proxy.stats("wasm.")), "a filter that fails must be loaded anew"
    assert proxy.stats("cluster.azeotrope-sidecar."), "the sidecar's cluster is missing"


def test_all_the_istio_files_install_one_filter_each():
    names = {name: documents(f"istio/{name}.yaml")[0]["metadata"]
             for name in ("traffic-extension", "wasm-plugin", "held-headers")}
    assert len({(one["namespace"], one["name"]) for one in names.values()}) == 1
