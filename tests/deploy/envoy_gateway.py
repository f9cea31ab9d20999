"""What Envoy Gateway makes of the resources in envoy/envoy-gateway, as far as they matter to the filter.

After internal/xds/translator and api/v1alpha1 of envoyproxy/gateway. Its CRDs are in no package that can be had, so each field
that is read here is taken out, and what is left over is an error.
"""

import json

import jsonpath_ng.ext

WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"
PATCHED = {
    "type.googleapis.com/envoy.config.listener.v3.Listener": "listeners",
    "type.googleapis.com/envoy.config.route.v3.RouteConfiguration": "routes",
    "type.googleapis.com/envoy.config.cluster.v3.Cluster": "clusters",
}


def taken(fields, *names, **defaults):
    """The values of fields, which must be all there are."""
    left = dict(fields)
    values = [left.pop(name) for name in names] + [left.pop(name, default) for name, default in defaults.items()]
    assert not left, f"unknown fields: {sorted(left)}"
    return values


def wasm_filters(policy):
    """The filters of an EnvoyExtensionPolicy: switched off, to be switched on by routes."""
    assert (policy["apiVersion"], policy["kind"]) == ("gateway.envoyproxy.io/v1alpha1", "EnvoyExtensionPolicy")
    target_refs, wasms = taken(policy["spec"], "targetRefs", "wasm")
    for reference in target_refs:
        group, kind, _ = taken(reference, "group", "kind", "name")
        assert (group, kind) == ("gateway.networking.k8s.io", "Gateway")
    for number, wasm in enumerate(wasms):
        code, name, config, fail_open, root_id = taken(wasm, "code", name=None, config=None, failOpen=False, rootID="")
        kind, image, _ = taken(code, "type", "image", pullPolicy="IfNotPresent")
        url, _ = taken(image, "url", sha256=None)
        assert kind == "Image" and "://" not in url
        own = f"envoyextensionpolicy/{policy['metadata']['namespace']}/{policy['metadata']['name']}/wasm/{number}"
        yield {"name": f"envoy.filters.http.wasm/{own}", "disabled": True, "typed_config": {"@type": WASM, "config": {
            "name": name or own,
            "root_id": root_id,
            "fail_open": fail_open,
            "vm_config": {"vm_id": own, "runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": ""}}},
            "configuration": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": json.dumps(config)},
        }}}


def add(manager, policy):
    """Puts the filters before the router and switches them on for all routes."""
    filters = list(wasm_filters(policy))
    manager["http_filters"][-1:-1] = filters
    for host in manager["route_config"]["virtual_hosts"]:
        for route in host["routes"]:
            route["typed_per_filter_config"] = {
                one["name"]: {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "config": {}} for one in filters}


def patch(policy, config, manager):
    """Applies an EnvoyPatchPolicy."""
    assert (policy["apiVersion"], policy["kind"]) == ("gateway.envoyproxy.io/v1alpha1", "EnvoyPatchPolicy")
    kind, patches, target, _ = taken(policy["spec"], "type", "jsonPatches", "targetRef", priority=0)
    assert kind == "JSONPatch"
    group, kind, gateway = taken(target, "group", "kind", "name")
    assert (group, kind) == ("gateway.networking.k8s.io", "Gateway")
    listener = f"{policy['metadata']['namespace']}/{gateway}/http"
    for one in patches:
        type_url, name, operation = taken(one, "type", "name", "operation")
        op, value, path, json_path = taken(operation, "op", "value", path=None, jsonPath=None)
        assert op == "add"
        where = PATCHED[type_url]
        if where == "clusters":
            assert (path, json_path) == ("", None) and value["name"] == name
            config["static_resources"]["clusters"].append(value)
            continue
        assert name == listener
        document = config["static_resources"]["listeners"][0] if where == "listeners" else manager["route_config"]
        found = jsonpath_ng.ext.parse(json_path).find(document)
        assert found, f"{json_path} names nothing"
        for match in found:
            match.value[path.removeprefix("/")] = value
