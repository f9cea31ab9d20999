"""Processes under measurement: which cores they may use, what they took of them, what memory they hold."""

import os
import pathlib
import re


def threads(pid):
    return [int(name) for name in os.listdir(f"/proc/{pid}/task")]


def pin(pid, cores):
    """Keeps a process, with the threads it has and will have, to some cores."""
    for thread in threads(pid):
        os.sched_setaffinity(thread, cores)


def cpu_seconds(pid):
    """CPU time of all its threads, in the scheduler's nanoseconds, kernel time included."""
    total = 0
    for thread in threads(pid):
        try:
            total += int(pathlib.Path(f"/proc/{pid}/task/{thread}/schedstat").read_text().split()[0])
        except FileNotFoundError:
            pass
    return total / 1e9


def resident(pid):
    """Resident memory in bytes."""
    return int(re.search(r"VmRSS:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) * 1024
