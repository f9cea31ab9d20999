"""A clock of some processes' own, which a test sets while they run: libfaketime, of Debian's package faketime."""

import os
import subprocess


class Clock:
    """Processes that `clock(make)` starts have it; what they measure time with stays as it is. `written` is as faketime(1) has it:
    "+1h" is an hour ahead of everybody."""

    def __init__(self, file, written="+0"):
        self._file = file
        self.set(written)

    def set(self, written):
        """Sets it, for those that run already, too."""
        fresh = self._file.with_suffix(".fresh")
        fresh.write_text(f"{written}\n")
        fresh.rename(self._file)

    def __call__(self, make):
        """Starts a process under this clock."""
        before = dict(os.environ)
        os.environ.update(self._environment())
        try:
            return make()
        finally:
            os.environ.clear()
            os.environ.update(before)

    def _environment(self):
        listed = subprocess.run(["dpkg", "-L", "libfaketime"], check=True, capture_output=True, text=True).stdout
        library = next(line for line in listed.splitlines() if line.endswith("libfaketimeMT.so.1"))
        return {"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": str(self._file), "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "TZ": "UTC"}
