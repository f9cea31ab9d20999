"""Two workers at once on the same counters."""

import concurrent.futures
import http.client

import client

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
