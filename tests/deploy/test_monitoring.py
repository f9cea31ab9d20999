"""Metrics, dashboard and alerts, on what a real Envoy and a real sidecar tell a real Prometheus."""

import json
import pathlib
import re
import shutil
import subprocess
import urllib.parse
import urllib.request

import client
import envoy
import pytest
import sidecars
import yaml
from conftest import DEPLOY, documents
from grafana_foundation_sdk.cog import encoder, plugins
from grafana_foundation_sdk.models import dashboard as model

ALERTS = DEPLOY / "chart" / "monitoring" / "alerts.yaml"
DASHBOARD = json.loads((DEPLOY / "chart" / "monitoring" / "dashboard.json").read_text())
NAME = re.compile(r"\bazeotrope_[a-z_]+\b(?!\()")


def promtool(*arguments, cwd=None):
    done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=60, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr


def expressions():
    """Every query of the dashboard, with what Grafana puts in place of its variables."""
    targets = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
    annotations = [one["expr"] for one in DASHBOARD["annotations"]["list"]]
    return [one.replace("$__rate_interval", "1m").replace("$instance", ".*") for one in targets + annotations]


def alerts():
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return {rule["alert"]: rule["expr"] for group in groups for rule in group["rules"]}


class Prometheus:
    """A Prometheus that scrapes an Envoy with stats_tags, one without (relabelled as on Istio), and a sidecar."""

    def __init__(self, folder, tagged, plain, sidecar):
        (monitor,) = documents("istio/pod-monitor.yaml")
        (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
        relabelled = [{re.sub("[A-Z]", lambda found: "_" + found[0].lower(), key): value for key, value in one.items()}
                      for one in endpoint["metricRelabelings"]]
        job = {"scrape_interval": "1s", "metrics_path": endpoint["path"]}
        jobs = [{"job_name": "tagged", **job, "static_configs": targets(tagged)},
                {"job_name": "istio", **job, "static_configs": targets(plain), "metric_relabel_configs": relabelled},
                {"job_name": "sidecar", "scrape_interval": "1s", "static_configs": targets(sidecar)}]
        self.port = envoy.free_ports(1)[0]
        (folder / "prometheus.yaml").write_text(yaml.safe_dump({"scrape_configs": jobs, "rule_files": [str(ALERTS)]}))
        command = ["prometheus", f"--config.file={folder / 'prometheus.yaml'}", f"--storage.tsdb.path={folder / 'data'}",
                   f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=error"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def query(self, expression):
        """What an instant query gives: [(labels, value)]."""
        query = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/query?{query}", timeout=10) as answer:
            return [(one["metric"], float(one["value"][1])) for one in json.load(answer)["data"]["result"]]

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def targets(port):
    return [{"targets": [f"127.0.0.1:{port}"]}]


@pytest.fixture(scope="module")
def prometheus(upstream, tmp_path_factory):
    """It has scraped everything twice, with three LLM calls in between."""
    folder = tmp_path_factory.mktemp("prometheus")
    config = yaml.safe_load((DEPLOY / "static.yaml").read_text())
    del config["stats_config"]
    (folder / "untagged.yaml").write_text(yaml.safe_dump(config))
    with sidecars.Keys() as keys, sidecars.Sidecar(keys) as sidecar:
        options = {"upstream_port": upstream.port, "plugin": sidecar.plugin(), "sidecars": [sidecar.port]}
        with envoy.start("static", **options) as tagged, envoy.start(str(folder / "untagged.yaml"), **options) as plain:
            one = Prometheus(folder, tagged.admin_port, plain.admin_port, sidecar.port)
            try:
                up = "sum(count_over_time(azeotrope_rules_version[1m])) >= 4 and sum(azeotrope_sidecar_store_up) == 1"
                sidecars.wait("first scrapes", lambda: one.query(up), 30)
                for proxy in (tagged, plain):
                    for _ in range(3):
                        assert client.post(proxy.port, body=client.chat()).status == 200
                judged = 'count(azeotrope_verdict_total{action="allow"} == 3) == 2'
                joined = "sum(azeotrope_sidecar_observations_joined_total) >= 6"
                sidecars.wait("what happened is scraped", lambda: one.query(judged) and one.query(joined), 30)
                yield one
            finally:
                one.stop()


def scraped(prometheus):
    """Names of all metrics of ours, as Prometheus has them."""
    return {labels["__name__"] for labels, _ in prometheus.query('{__name__=~"azeotrope_.+"}')}


def test_labels_are_the_same_from_stats_tags_and_from_relabelling(prometheus):
    for metric in ("requests", "verdict", "would", "tokens"):
        by_job = {}
        for labels, _ in prometheus.query(f"azeotrope_{metric}_total"):
            by_job.setdefault(labels.pop("job"), set()).add((labels.get("dialect"), labels.get("action"), labels.get("kind")))
        assert by_job["tagged"] == by_job["istio"] and len(by_job["istio"]) >= 4, metric
    names = {job: {labels["__name__"] for labels, _ in prometheus.query(f'{{__name__=~"azeotrope_.+", job="{job}"}}')}
             for job in ("tagged", "istio")}
    assert names["tagged"] == names["istio"]


def test_the_documented_metrics_are_those_that_are_there(prometheus):
    documented = set(re.findall(r"^\| `(azeotrope_\w+)` \|", (DEPLOY / "metrics.md").read_text(), re.MULTILINE))
    assert documented == scraped(prometheus)


def test_counters_and_only_they_end_in_total(prometheus):
    query = 'http://127.0.0.1:{}/api/v1/metadata'
    with urllib.request.urlopen(query.format(prometheus.port), timeout=10) as answer:
        kinds = {name: told[0]["type"] for name, told in json.load(answer)["data"].items() if name.startswith("azeotrope_")}
    assert len(kinds) > 30
    assert {name for name, kind in kinds.items() if (kind == "counter") != name.endswith("_total")} == set()


def test_every_query_of_the_dashboard_has_an_answer(prometheus):
    silent = [one for one in expressions() if "changes(" not in one and not prometheus.query(one)]
    assert silent == []


def test_queries_and_alerts_name_only_metrics_that_are_there(prometheus):
    there = scraped(prometheus) | {"azeotrope_vm_reload"}
    for expression in [*expressions(), *alerts().values()]:
        names = set(NAME.findall(re.sub(r'"[^"]*"', "", expression)))
        assert names <= there, expression
    assert prometheus.query('{__name__=~"envoy_wasm_(.*_)?azeotrope_vm_reload"}')


def test_nothing_fires_when_all_is_well(prometheus):
    assert [labels["alertname"] for labels, _ in prometheus.query("ALERTS")] == []


def test_alerts_are_well_formed_and_each_fires_on_what_it_is_for(tmp_path):
    promtool("check", "rules", ALERTS)
    tests = pathlib.Path(__file__).with_name("alerts.test.yaml")
    for file in (ALERTS, tests):
        shutil.copy(file, tmp_path)
    promtool("test", "rules", tests.name, cwd=tmp_path)
    fired = set(re.findall(r'labels: \'\{alertname="(\w+)"', tests.read_text()))
    fired |= {one["alertname"] for test in yaml.safe_load(tests.read_text())["tests"]
              for one in test.get("alert_rule_test", []) if one["exp_alerts"]}
    assert fired == set(alerts()), "an alert without a test that it fires"


def test_the_dashboard_is_what_grafana_knows():
    """Read into the models that Grafana publishes, and written again, it is the same: no field is unknown."""
    plugins.register_default_plugins()
    again = json.loads(encoder.JSONEncoder().encode(model.Dashboard.from_json(DASHBOARD)))
    assert lost(DASHBOARD, again) == []
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)


def lost(before, after, path="$"):
    """Where `after` lacks what `before` says."""
    if isinstance(before, dict):
        return [place for key, value in before.items()
                for place in ([f"{path}.{key}"] if key not in after else lost(value, after[key], f"{path}.{key}"))]
    if isinstance(before, list):
        if len(before) != len(after):
            return [path]
        return [place for number, (one, other) in enumerate(zip(before, after, strict=True))
                for place in lost(one, other, f"{path}[{number}]")]
    return [] if before == after else [path]
