"""OpenTelemetry of the sidecar, heard by a collector of ours."""

import http.server
import json
import threading

import envoy
import pytest
import sidecars
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from sidecars import wait

KINDS = {"/v1/metrics": ExportMetricsServiceRequest, "/v1/traces": ExportTraceServiceRequest}
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Collector:
    """Takes OTLP over HTTP and keeps it."""

    def __init__(self):
        self.heard, collector = [], self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                collector.heard.append((self.path, dict(self.headers), KINDS[self.path].FromString(body)))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def metrics(self):
        """The newest value of each metric: {name: (kind, value)}."""
        found = {}
        for path, _, sent in list(self.heard):
            for metric in metrics_of(sent) if path == "/v1/metrics" else ():
                kind = metric.WhichOneof("data")
                found[metric.name] = (kind, getattr(metric, kind).data_points[-1].as_int)
        return found

    def spans(self):
        return [span for path, _, sent in list(self.heard) if path == "/v1/traces"
                for resource in sent.resource_spans for scope in resource.scope_spans for span in scope.spans]

    def resources(self):
        """Attributes of who sent, once for each message."""
        return [{one.key: one.value.string_value for one in resource.resource.attributes}
                for path, _, sent in list(self.heard)
                for resource in (sent.resource_metrics if path == "/v1/metrics" else sent.resource_spans)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def metrics_of(sent):
    return [metric for resource in sent.resource_metrics for scope in resource.scope_metrics for metric in scope.metrics]


@pytest.fixture
def environment(monkeypatch):
    """Sets what the sidecar finds in its environment, and nothing else of OpenTelemetry's."""

    def set_to(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(f"OTEL_{name}", value)

    return set_to


def told(sidecar):
    """The sidecar's own metrics: {name: value}."""
    lines = sidecar.ask("GET", "/metrics")[2].decode().splitlines()
    return {name: int(value) for name, value in (line.split() for line in lines if not line.startswith("#"))}


def attributes(span):
    return {one.key: one.value.string_value or one.value.int_value for one in span.attributes}


def test_metrics_and_a_span_for_each_request_are_exported(keys, environment):
    with Collector() as collector:
        environment(EXPORTER_OTLP_ENDPOINT=collector.endpoint, EXPORTER_OTLP_HEADERS="x-tenant=blue",
                    METRIC_EXPORT_INTERVAL="300", BSP_SCHEDULE_DELAY="200", RESOURCE_ATTRIBUTES="deployment.environment=test")
        with sidecars.Sidecar(keys, name="one") as sidecar:
            assert sidecar.ask("GET", "/v1/parts/" + "0" * 64, None, [("traceparent", f"00-{TRACE}-{PARENT}-01")])[0] == 401
            assert sidecar.ask("GET", "/nothing/of/the/kind")[0] == 404
            wait("spans", lambda: len(collector.spans()) >= 2)
            expected = {name.removesuffix("_total"): name.endswith("_total") for name in told(sidecar)}
            wait("metrics", lambda: expected.keys() <= collector.metrics().keys())
            wait("a gauge that is set", lambda: collector.metrics()["azeotrope_sidecar_duty"] == ("gauge", 1))
            kinds = {name: kind for name, (kind, _) in collector.metrics().items()}
            assert kinds == {name: "sum" if counter else "gauge" for name, counter in expected.items()}
            refused = told(sidecar)["azeotrope_sidecar_batches_refused_total"]
            assert refused == 1
            wait("a counter", lambda: collector.metrics()["azeotrope_sidecar_batches_refused"] == ("sum", refused))
            (span,) = [one for one in collector.spans() if one.name == "GET /v1/parts/{hash}"]
            assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
            assert attributes(span)["http.response.status_code"] == 401
            # What is asked all the time is not traced, and no path of a client's becomes a name.
            assert {one.name for one in collector.spans()} <= {"GET /v1/parts/{hash}", "GET other"}
        for resource in collector.resources():
            assert resource["service.name"] == "azeotrope-sidecar" and resource["service.instance.id"] == "one"
            assert resource["deployment.environment"] == "test"
        assert {headers["x-tenant"] for _, headers, _ in collector.heard} == {"blue"}


def test_without_a_word_in_the_environment_or_with_its_switch_nothing_is_exported(keys, environment):
    with Collector() as collector:
        environment(METRIC_EXPORT_INTERVAL="100", BSP_SCHEDULE_DELAY="100")
        with sidecars.Sidecar(keys) as sidecar:
            sidecar.ask("GET", "/v1/status")
        environment(EXPORTER_OTLP_ENDPOINT=collector.endpoint, SDK_DISABLED="true")
        with sidecars.Sidecar(keys) as sidecar:
            sidecar.ask("GET", "/v1/status")
        # A stop exports what is left: there was nothing.
        assert collector.heard == []
        environment(SDK_DISABLED="false", METRICS_EXPORTER="none")
        with sidecars.Sidecar(keys) as sidecar:
            sidecar.ask("GET", "/v1/status")
        assert {path for path, _, _ in collector.heard} == {"/v1/traces"}


def test_a_collector_that_is_away_is_told_once_and_hurts_nobody(keys, environment):
    (port,) = envoy.free_ports(1)
    environment(EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}", METRIC_EXPORT_INTERVAL="100", TRACES_EXPORTER="none")
    with sidecars.Sidecar(keys) as sidecar:
        wait("it is told", lambda: "OpenTelemetry: " in sidecar.log())
        wait("a bundle is there all the same", sidecar.version)
        assert json.loads(sidecar.ask("GET", "/v1/status")[2])
        assert sidecar.log().count("OpenTelemetry: ") == 1, sidecar.log()


@pytest.mark.parametrize("variable, value", [("EXPORTER_OTLP_PROTOCOL", "grpc"), ("EXPORTER_OTLP_ENDPOINT", "https://collector:4318")])
def test_what_is_not_built_in_is_refused_at_the_start(keys, environment, tmp_path, variable, value):
    environment(EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:4318")
    environment(**{variable: value})
    done = sidecars.run("serve", "--listen", "127.0.0.1:0", "--key", keys.key, "--data", tmp_path, check=False)
    assert done.returncode == 2 and "is not built in" in done.stderr
