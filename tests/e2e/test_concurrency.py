"""Two workers at once on the same counters."""

import concurrent.futures
import http.client

import client
import pytest

THREADS, EACH = 8, 250


def hammer(port, threads=THREADS, each=EACH, body=client.chat("the same for everyone"), headers=()):
    """`threads` connections that send `each` requests one after the other; the statuses that came back."""

    def one(_):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=client.TIMEOUT)
        statuses = []
        for _ in range(each):
            connection.request("POST", client.CHAT, body, dict(headers))
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)
        connection.close()
        return statuses

    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return [status for statuses in pool.map(one, range(threads)) for status in statuses]


def test_two_workers_judge_every_request_once_and_lose_no_write(start):
    proxy = start(workers=2)
    statuses = hammer(proxy.port, headers=[("authorization", "Bearer one-account")])
    assert statuses == [200] * (THREADS * EACH)
    assert proxy.metric("requests.chat_completions") == THREADS * EACH
    verdicts = proxy.stats("wasmcustom.azeotrope.verdict.")
    assert sum(verdicts.values()) == THREADS * EACH
    assert proxy.metric("store.lost") == 0
    assert proxy.metric("host.error") == 0


@pytest.mark.parametrize("workers", [2, 8])
@pytest.mark.parametrize("beyond", [0, 1])
def test_workers_hammering_one_slot_lose_no_count_and_count_none_twice(start, beyond, workers):
    """A rule that speaks from exactly so many requests of an account on makes their exact number visible: the request
    after all others finds it reached, and one more would not have been."""
    total = THREADS * EACH
    rule = {"first_hour_from": total + beyond}
    proxy = start(workers=workers, plugin={"rules": {"format": 1, "version": 1, "families": {"account_shape": rule}}})
    headers = [("authorization", "Bearer one-account")]
    assert hammer(proxy.port, headers=headers) == [200] * total
    assert client.post(proxy.port, body=client.chat("the same for everyone"), headers=headers).status == 200
    labels = [entry["azeotrope"] for entry in proxy.access_log(total + 1)]
    assert len(labels) == total + 1
    assert sum("full_rate" in label for label in labels) == 1 - beyond
    assert proxy.metric("store.lost") == 0
