"""The program in a real terminal: `azeotrope top` and bars, through a pseudo-terminal that a terminal emulator reads."""

import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import termios
import time

import pyte
import sidecars
from sidecars import PROGRAM, wait


class Terminal:
    """A program in a terminal of so many columns and lines."""

    def __init__(self, *arguments, columns=100, lines=30):
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        command = [str(PROGRAM), *map(str, arguments)]
        env = {**os.environ, "TERM": "xterm-256color"}
        self._process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=env, close_fds=True,
                                         start_new_session=True)
        os.close(slave)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def shows(self, *words):
        """Reads what was written since, piece by piece; whether the screen came to show all the words."""
        def shown():
            text = "\n".join(self.screen.display)
            return all(word in text for word in words)

        while not shown() and select.select([self._master], [], [], 0.05)[0]:
            try:
                piece = os.read(self._master, 4096)
            except OSError:  # the program has left
                break
            if not piece:
                break
            self._stream.feed(piece)
        return shown()

    def press(self, keys):
        os.write(self._master, keys)

    def code(self):
        """The exit code, once it has left."""
        end = time.monotonic() + 60
        while self._process.poll() is None and time.monotonic() < end:
            self.shows("what no screen shows")
            time.sleep(0.02)
        return self._process.poll()


def test_top_watches_a_sidecar_and_outlives_it(tmp_path):
    with sidecars.Keys() as keys, sidecars.Sidecar(keys) as one:
        wait("something is published", lambda: one.version() > 0)
        url = f"http://127.0.0.1:{one.port}"
        for columns, lines in [(100, 30), (62, 18)]:
            with Terminal("top", "--sidecar", url, "--every", 1, columns=columns, lines=lines) as terminal:
                wait("the sidecar is shown", lambda: terminal.shows("azeotrope", one.name, "No campaign was named"))
                terminal.press(b"p")
                wait("it pauses", lambda: terminal.shows("paused"))
                terminal.press(b"p")
                terminal.press(b"q")
                assert terminal.code() == 0
        with Terminal("top", "--sidecar", url, "--every", 1) as terminal:
            wait("the sidecar is shown", lambda: terminal.shows(one.name))
            one.kill()
            wait("that it is gone is told", lambda: terminal.shows("no answer", one.name))
            terminal.press(b"\x03")
            assert terminal.code() == 0


def test_top_prints_one_look_where_there_is_no_terminal():
    with sidecars.Keys() as keys, sidecars.Sidecar(keys) as one:
        wait("something is published", lambda: one.version() > 0)
        assert "No campaign was named" in one.command("top").stdout
        look = json.loads(one.command("top", "--json").stdout)
        assert look["status"]["sidecar"] == one.name and look["campaigns"] == []


def test_a_long_reading_shows_a_bar_in_a_terminal_and_none_in_a_pipe(tmp_path):
    trace = tmp_path / "trace.jsonl"
    body = {"model": "m", "messages": [{"role": "user", "content": "hello " * 200}]}
    with trace.open("w") as out:
        for n in range(20_000):
            line = {"id": n, "t": 1e9 + n, "path": "/v1/chat/completions", "headers": {"authorization": f"Bearer {n % 50}"},
                    "body": body}
            out.write(json.dumps(line) + "\n")
    out = tmp_path / "verdicts.jsonl"
    with Terminal("replay", "--verdicts", out, trace) as terminal:
        wait("a bar is shown", lambda: terminal.shows("trace.jsonl", "MiB"))
        assert terminal.code() == 0
    assert len(out.read_text().splitlines()) == 20_000
    done = sidecars.run("replay", "--verdicts", out, trace)
    assert (done.stdout, done.stderr) == ("", "")
