"""Envoy is restarted, drained, reconfigured a thousand times: no request fails, memory is flat, counts stay exact."""

import json

import client
import envoy
import pytest
import sidecars
import yaml
from load import Load
from sidecars import wait


def plugin(version, **more):
    return json.dumps({"rules": {"format": 1, "version": version, **more}})


def test_a_hot_restart_fails_no_request(start):
    proxy = start(workers=2, hot=True)
    with Load(proxy.port) as load:
        for _ in range(2):
            before = len(load.statuses)
            wait("traffic", lambda: len(load.statuses) > before + 20)
            proxy.take_over()
        before = len(load.statuses)
        wait("traffic after it", lambda: len(load.statuses) > before + 20)
    assert set(load.statuses) == {200}, set(load.statuses)
    # A drained process says `connection: close`; one that it closes at the same moment as a request is sent may break.
    assert len(load.errors) <= 4, load.errors
    assert client.post(proxy.port, body=client.chat()).status == 200


def test_a_stream_that_is_on_its_way_outlives_a_drain(start):
    proxy = start()
    headers = [("x-stand-in-replay", "chat_completions/stream.sse"), ("x-stand-in-piece", "40"), ("x-stand-in-pause-ms", "50")]
    with Load(proxy.port, threads=1, headers=headers) as load:
        wait("a stream", lambda: load.statuses)
        proxy.admin("POST", "/drain_listeners?graceful&skip_exit")
        before = len(load.statuses)
        wait("more of them", lambda: len(load.statuses) > before + 1)
    assert set(load.statuses) == {200} and not load.errors, (load.statuses, load.errors)


def test_a_thousand_configurations_in_a_row_under_load(start):
    proxy = start("ecds", workers=2, plugin=plugin(1))
    resident = {}
    with Load(proxy.port) as load:
        for version in range(2, 1_002):
            proxy.reconfigure(plugin(version))
            # In force with a worker before the next, so that each is really applied.
            wait(f"rules {version}", lambda: proxy.told("rules.version") == version)
            if version in (300, 1_001):
                resident[version] = proxy.resident()
    assert set(load.statuses) == {200} and not load.errors, (set(load.statuses), load.errors[:3])
    assert len(load.statuses) > 500
    # Each configuration is an engine of some hundred KiB while requests still run on it.
    assert resident[1_001] - resident[300] < 8 << 20, resident
    assert proxy.metric("config.refused") == 0


def test_half_a_configuration_is_refused_while_requests_pass(start):
    proxy = start("ecds", plugin=plugin(1))
    with Load(proxy.port) as load:
        for broken in ("{", plugin(2)[:-3], plugin(2, families={"no_such_family": {}}), '{"rules": 3}' * 2, "\x00"):
            before = proxy.metric("config.refused")
            proxy.reconfigure(broken)
            wait(f"{broken!r} is refused", lambda: proxy.told("config.refused") > before)
        assert proxy.metric("rules.version") == 1
        proxy.reconfigure(plugin(3))
        wait("a good one", lambda: proxy.told("rules.version") == 3)
    assert set(load.statuses) == {200} and not load.errors


def test_counts_go_on_across_configurations(start):
    rule = {"families": {"account_shape": {"first_hour_from": 40}}}
    proxy = start("ecds", workers=2, plugin=plugin(1, **rule))
    account = [("authorization", "Bearer one-account")]
    for version in range(2, 6):
        for _ in range(10):
            assert client.post(proxy.port, body=client.chat(), headers=account).status == 200
        proxy.reconfigure(plugin(version, **rule))
        wait("the next", lambda: proxy.told("rules.version") == version)
    assert client.post(proxy.port, body=client.chat(), headers=account).status == 200
    labels = [entry["azeotrope"] for entry in proxy.access_log(41)]
    assert ["full_rate" in label for label in labels] == [False] * 40 + [True]


def test_no_request_goes_uncounted_when_configurations_and_modules_are_replaced_under_load(start, tmp_path):
    proxy = start("ecds", workers=2, plugin=plugin(1))
    with Load(proxy.port) as load:
        for version in range(2, 10):
            if version % 2:
                # The same module and a custom section (0) of three bytes: other code, so another VM.
                proxy.wasm.module = tmp_path / f"{version}.wasm"
                proxy.wasm.module.write_bytes(envoy.MODULE.read_bytes() + bytes([0, 3, 2, *b"v", version]))
            proxy.reconfigure(plugin(version))
            # Another module is compiled first, for each worker and the main thread.
            wait(f"rules {version}", lambda: proxy.told("rules.version") == version, 60)
            before = len(load.statuses)
            wait("traffic under them", lambda: len(load.statuses) > before + 20)
    assert set(load.statuses) == {200} and not load.errors, (set(load.statuses), load.errors[:3])
    assert proxy.metric("requests.chat_completions") == len(load.statuses)


@pytest.fixture
def beside(tmp_path):
    """The shipped configuration that takes the filter from a file, with the cluster of the sidecars from the static one."""
    file, static = (yaml.safe_load(envoy.TEMPLATES[name].read_text()) for name in ("ecds", "static"))
    clusters = static["static_resources"]["clusters"]
    file["static_resources"]["clusters"] += [one for one in clusters if one["name"] == "azeotrope-sidecar"]
    (tmp_path / "envoy.yaml").write_text(yaml.safe_dump(file))
    return tmp_path / "envoy.yaml"


def test_no_observation_is_lost_when_configurations_are_replaced_under_load(start, keys, beside):
    with sidecars.Sidecar(keys) as sidecar:
        plugin = lambda version: json.dumps(sidecar.plugin(rules={"format": 1, "version": version}))  # noqa: E731
        proxy = start(beside, workers=2, plugin=plugin(1), sidecars=[sidecar.port])
        with Load(proxy.port, headers=[("authorization", "Bearer one-account")]) as load:
            for version in range(2, 8):
                before = proxy.told("config.accepted")
                proxy.reconfigure(plugin(version))
                # By both workers and the main thread. (The version that is told is the bundle's.)
                wait(f"rules {version}", lambda: proxy.told("config.accepted") >= before + 3)
                before = len(load.statuses)
                wait("traffic under them", lambda: len(load.statuses) > before + 100)
        assert set(load.statuses) == {200} and not load.errors, (set(load.statuses), load.errors[:3])
        wait("all is joined", lambda: sidecar.get("/v1/status")["today"]["requests"] == len(load.statuses))
        assert proxy.metric("sidecar.lost") == 0
