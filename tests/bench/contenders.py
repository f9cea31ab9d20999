"""What is measured side by side: Envoy in the shipped configuration, with another HTTP filter in Azeotrope's place.

The access log is left out: it would cost everyone the same and make ratios look smaller.
"""

import json
import pathlib
import subprocess

import bodies
import envoy
import yaml

HERE = pathlib.Path(__file__).resolve().parent
TYPE = "type.googleapis.com/envoy.extensions.filters.http."
#: More than any body here.
LARGEST = 2 << 20
#: Prompts of the corpus that `corpus_sweep` looks up.
INDEXED = 20_000

#: Name, what it is in the report.
NAMES = {
    "none": "Envoy, no filter",
    "buffer": "Envoy's buffer filter",
    "empty": "empty Wasm filter that holds the body",
    "calls": "the same, making Azeotrope's 12 calls of the host and nothing else",
    "observe": "**Azeotrope**, observe, small state",
    "observe-full": "**Azeotrope**, observe, full state",
    "enforce": "**Azeotrope**, enforce, small state",
    "enforce-full": "**Azeotrope**, enforce, full state",
    "ratelimit": "Envoy's local_ratelimit",
    "lua": "Lua: words, shingles, MinHash, phrases, a count",
    "ext_proc": "the same engine behind ext_proc",
}
OURS = ("observe", "observe-full", "enforce", "enforce-full")


def build(folder, program, empty, ext_proc_port):
    """Writes an Envoy configuration for each contender into `folder`; {name: path}."""
    plugin = _plugin(folder, program)
    wasm = {name: _wasm(envoy.MODULE, plugin | {"mode": name.removesuffix("-full")}, "azeotrope") for name in OURS}
    filters = {
        "none": None,
        "buffer": _typed("buffer.v3.Buffer", max_request_bytes=LARGEST),
        "empty": _wasm(empty, {}, "empty"),
        "calls": _wasm(empty, {"calls": True}, "calls"),
        **wasm,
        "ratelimit": _ratelimit(),
        "lua": _typed("lua.v3.Lua", default_source_code={"inline_string": (HERE / "filter.lua").read_text()}),
        "ext_proc": _ext_proc(),
    }
    paths = {}
    for name in NAMES:
        paths[name] = folder / f"{name}.json"
        paths[name].write_text(json.dumps(_configuration(filters[name], ext_proc_port)))
    return paths


def plugin_of_ext_proc():
    """What the engine behind ext_proc is configured with."""
    return json.dumps({"mode": "enforce"})


def _configuration(contender, ext_proc_port):
    config = yaml.safe_load(envoy.TEMPLATES["static"].read_text())
    (filters,) = envoy.find(config["static_resources"]["listeners"], "http_filters")
    filters[:1] = [{"name": "contender", "typed_config": contender}] if contender else []
    for chain in config["static_resources"]["listeners"][0]["filter_chains"]:
        del chain["filters"][0]["typed_config"]["access_log"]
    clusters = [one for one in config["static_resources"]["clusters"] if one["name"] == "llm"]
    # Every connection of the load finds one upstream.
    breakers = {"thresholds": [{"max_connections": 4096, "max_pending_requests": 4096, "max_requests": 4096}]}
    clusters[0]["circuit_breakers"] = breakers
    if contender and contender["@type"].endswith("ExternalProcessor"):
        clusters.append(_grpc_cluster(ext_proc_port) | {"circuit_breakers": breakers})
    config["static_resources"]["clusters"] = clusters
    return config


def _grpc_cluster(port):
    http2 = {"@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
             "explicit_http_config": {"http2_protocol_options": {}}}
    return {"name": "ext-proc", "type": "STATIC", "connect_timeout": "1s",
            "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2},
            "load_assignment": {"cluster_name": "ext-proc", "endpoints": [
                {"lb_endpoints": [{"endpoint": {"address": envoy.address(port)}}]}]}}


def _typed(kind, **fields):
    return {"@type": TYPE + kind, **fields}


def _wasm(module, plugin, vm_id):
    value = {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": json.dumps(plugin)}
    return _typed("wasm.v3.Wasm", config={
        "name": vm_id, "failure_policy": "FAIL_RELOAD", "allow_on_headers_stop_iteration": True, "configuration": value,
        "vm_config": {"vm_id": vm_id, "runtime": "envoy.wasm.runtime.v8",
                      "code": {"local": {"filename": str(module)}}}})


def _ratelimit():
    everything = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    bucket = {"max_tokens": 1_000_000_000, "tokens_per_fill": 1_000_000_000, "fill_interval": "1s"}
    return _typed("local_ratelimit.v3.LocalRateLimit", stat_prefix="bench", token_bucket=bucket,
                  filter_enabled=everything, filter_enforced=everything)


def _ext_proc():
    """Headers, the body in one piece, the answer's status: what the engine needs, and nothing else is sent."""
    mode = {"request_header_mode": "SEND", "request_body_mode": "BUFFERED", "response_header_mode": "SEND",
            "response_body_mode": "NONE", "request_trailer_mode": "SKIP", "response_trailer_mode": "SKIP"}
    return _typed("ext_proc.v3.ExternalProcessor", processing_mode=mode, message_timeout="5s",
                  grpc_service={"envoy_grpc": {"cluster_name": "ext-proc"}, "timeout": "30s"})


def _plugin(folder, program):
    """A signed bundle with a corpus: every family has work to do."""
    def run(*command):
        return subprocess.run([program, *command], cwd=folder, check=True, capture_output=True, text=True).stdout
    pool = bodies.prompts()
    with (folder / "prompts.jsonl").open("w", encoding="utf-8") as out:
        for number in range(INDEXED):
            out.write(json.dumps({"prompt": f"{pool[number % len(pool)]} Variant {number} of this."}) + "\n")
    (folder / "rules.json").write_text('{"format": 1, "version": 1}')
    (folder / "key").unlink(missing_ok=True)
    key = run("rules", "keygen", "--out", "key").strip()
    run("corpus", "index", "--out", "prompts.corpus", "prompts.jsonl")
    bundle = run("rules", "sign", "rules.json", "--key", "key", "--corpus", "prompts.corpus").strip()
    return {"public_keys": [key], "bundle": bundle}
