"""What istiod and the agent beside Envoy make of the resources in envoy/istio, as far as they matter to the filter.

After pilot/pkg/model/extensions.go, pilot/pkg/networking/core/envoyfilter and pkg/wasm of istio/istio.
"""

import json

WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"
EXTENSION = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
POLICIES = {"FAIL_CLOSE": "FAIL_CLOSED", "FAIL_OPEN": "FAIL_OPEN", "FAIL_RELOAD": "FAIL_RELOAD"}


def discovery(name):
    """A filter whose configuration ADS delivers; here it comes out of a file."""
    source = {"resource_api_version": "V3", "path_config_source": {"path": "", "watched_directory": {"path": ""}}}
    return {"name": name, "config_discovery": {"type_urls": [WASM], "config_source": source}}


def extension(resource):
    """The extension that a TrafficExtension or a WasmPlugin becomes: neither vm_id nor stop-iteration."""
    spec, metadata = resource["spec"], resource["metadata"]
    wasm = spec["wasm"] if resource["kind"] == "TrafficExtension" else spec
    assert wasm["url"].startswith("oci://")
    name = f"{metadata['namespace']}.{metadata['name']}"
    config = {
        "name": name,
        "root_id": wasm.get("pluginName", ""),
        "failure_policy": POLICIES[wasm["failStrategy"]],
        "vm_config": {
            "runtime": "envoy.wasm.runtime.v8",
            "code": {"remote": {"http_uri": {"uri": wasm["url"], "cluster": "_", "timeout": "30s"}, "sha256": "nil"}},
            "environment_variables": {"key_values": {"ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION": "1"}},
        },
        "configuration": {"@type": "type.googleapis.com/google.protobuf.StringValue",
                          "value": json.dumps(wasm["pluginConfig"])},
    }
    return fetched({"name": name, "typed_config": {"@type": WASM, "config": config}})


def fetched(extension):
    """The agent fetches the image and puts the file in its place (done where the module is known)."""
    remote = extension["typed_config"]["config"]["vm_config"]["code"].pop("remote")
    assert remote["http_uri"]["uri"].startswith("oci://") and "sha256" in remote
    extension["typed_config"]["config"]["vm_config"]["code"]["local"] = {"filename": ""}
    return {"@type": EXTENSION, **extension}


def insert_before_router(manager, added):
    """Adds a filter before the router."""
    names = [one["name"] for one in manager["http_filters"]]
    manager["http_filters"].insert(names.index("envoy.filters.http.router"), added)


def patch(resource, manager):
    """Applies an EnvoyFilter to a gateway; the extension that it adds."""
    added, named = {}, []
    for one in resource["spec"]["configPatches"]:
        assert one["match"]["context"] == "GATEWAY"
        kind, operation, value = one["applyTo"], one["patch"]["operation"], one["patch"]["value"]
        if (kind, operation) == ("EXTENSION_CONFIG", "ADD"):
            added[value["name"]] = value
        elif (kind, operation) == ("HTTP_FILTER", "INSERT_BEFORE"):
            chain = one["match"]["listener"]["filterChain"]["filter"]
            assert chain["name"] == "envoy.filters.network.http_connection_manager"
            assert chain["subFilter"]["name"] == "envoy.filters.http.router"
            assert value["config_discovery"]["type_urls"] == [WASM] and value["config_discovery"]["config_source"]["ads"] == {}
            named.append(value["name"])
            insert_before_router(manager, discovery(value["name"]))
        elif (kind, operation) == ("VIRTUAL_HOST", "MERGE"):
            for host in manager["route_config"]["virtual_hosts"]:
                host.update(value)
        else:
            raise AssertionError(f"istiod does not {operation} a {kind}")
    # istiod sends an added extension only where a filter of the same name asks for it.
    assert set(named) == set(added) and len(named) == 1
    return fetched(added[named[0]])
