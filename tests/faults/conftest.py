"""The fixtures of tests/e2e: a stand-in upstream, Envoys, keys of sidecars."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from fixtures import keys, pair, redis, start, upstream  # noqa: E402, F401
