"""Envoy's own rate-limit filter counts tokens: it asks its service, here a stand-in, with what the module worked out."""

import concurrent.futures
import json

import client
import envoy
import grpc
import pytest
import yaml

METHOD = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit"
OK, OVER_LIMIT = b"\x08\x01", b"\x08\x02"


def hits(request):
    """`hits_addend` of a RateLimitRequest: field 3, a varint; 0 where there is none."""
    at = 0
    while at < len(request):
        field, at = varint(request, at)
        value, at = varint(request, at)
        if field == 3 << 3:
            return value
        at += value  # the others are length-delimited
    return 0


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return value, at


class Service(grpc.GenericRpcHandler):
    """A rate-limit service that remembers what it was asked, and refuses beyond a limit."""

    def __init__(self, limit):
        self.limit, self.asked = limit, []

    def service(self, call):
        return grpc.unary_unary_rpc_method_handler(self.answer) if call.method == METHOD else None

    def answer(self, request, _context):
        self.asked.append(hits(request))
        return OK if sum(self.asked) <= self.limit else OVER_LIMIT


@pytest.fixture
def service():
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    one = Service(limit=1000)
    server.add_generic_rpc_handlers([one])
    one.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield one
    server.stop(0)


def template(path, port):
    """The shipped static configuration with Envoy's rate-limit filter behind the module."""
    config = yaml.safe_load(envoy.TEMPLATES["static"].read_text())
    resources = config["static_resources"]
    (filters,) = envoy.find(resources["listeners"], "http_filters")
    filters.insert(-1, {"name": "envoy.filters.http.ratelimit", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3.RateLimit", "domain": "llm",
        "timeout": "2s", "rate_limit_service": {"grpc_service": {"envoy_grpc": {"cluster_name": "rls"}},
                                                "transport_api_version": "V3"}}})
    (routes,) = envoy.find(resources["listeners"], "routes")
    routes[0]["route"]["rate_limits"] = [{"actions": [{"request_headers": {"header_name": "authorization",
                                                                           "descriptor_key": "account"}}]}]
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    resources["clusters"].append({
        "name": "rls", "type": "STATIC", "connect_timeout": "2s",
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}}}},
        "load_assignment": {"cluster_name": "rls",
                            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}]}})
    path.write_text(yaml.safe_dump(config))
    return path


def test_the_rate_limit_filter_counts_the_tokens_that_a_request_may_cost(start, service, tmp_path):
    proxy = start(template(tmp_path / "envoy.yaml", service.port),
                  plugin=json.dumps({"headers": "held", "ratelimit_tokens": True}))
    headers = [("authorization", "Bearer sk-e2e-ratelimit-0123456789")]
    bodies = [client.chat("x" * 400, max_tokens=tokens) for tokens in (100, 500, 500)]
    answers = [client.post(proxy.port, body=body, headers=headers) for body in bodies]
    assert [answer.status for answer in answers] == [200, 200, 429]
    # Four bytes a token of the request, and as many as it allows for the answer.
    assert service.asked == [-(-len(body) // 4) + tokens for body, tokens in zip(bodies, (100, 500, 500))]
