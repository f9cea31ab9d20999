"""Requests one after the other in the background, while something is done to who answers them."""

import http.client
import threading

import client


class Load:
    """`threads` connections that send until the end of the `with`; `statuses` and `errors` of what became of it.

    A connection that the proxy closes between two requests, as one that drains does, is opened anew; what broke once a
    request was sent is an error."""

    def __init__(self, port, threads=2, body=client.chat("the same for everyone"), headers=()):
        self.port, self.body, self.headers = port, body, dict(headers)
        self.statuses, self.errors = [], []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]

    def _run(self):
        connection = None
        while not self._over.is_set():
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=client.TIMEOUT)
                connection.request("POST", client.CHAT, self.body, self.headers)
                response = connection.getresponse()
                response.read()
                self.statuses.append(response.status)
                if response.getheader("connection") == "close":
                    connection = connection.close()
            except (OSError, http.client.HTTPException) as problem:
                self.errors.append(repr(problem))
                connection = connection and connection.close()
                self._over.wait(0.05)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()
