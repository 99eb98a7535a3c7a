"""Which tests run, and their order: every worker begins with long ones, and ends with short ones.

`--dist worksteal` gives each worker an equal part of the list, in order. An idle worker then takes
the second half of another's list. Half of the workers begin with tests of whole runs, which wait a
third of their time, and the others with long tests that compute.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import TypeVar

import pytest

EVERY_CALL = bool(os.environ.get("EVERY_CALL"))
"""`.ci/run` and `make soak` kill the function at every call, `make test` at a sample of them."""

only_in_builds = pytest.mark.skipif(not EVERY_CALL, reason="takes long; try it with EVERY_CALL=1")

WAITING = "whole"
FIRST = ("test_time_limit.py", "test_forgotten_connections.py", "test_shutdown.py")
"""Their tests wait for more than ten seconds each."""

COMPUTING = ("terraform", "docs", "sandbox", "results", "exports", "cli")
"""The folders of long tests, most of which start processes. All other tests are short."""

T = TypeVar("T")


def dealt(tests: Sequence[T], place: Callable[[T], PurePath], workers: int) -> list[T]:
    """Put the tests into the order for this many workers. `place` is below the folder `tests`."""
    waiting: list[list[T]] = []
    computing: dict[str, list[list[T]]] = {folder: [] for folder in COMPUTING}
    short: list[T] = []
    for (folder, path), of_unit in itertools.groupby(tests, lambda test: _unit(place(test))):
        unit = list(of_unit)
        if folder == WAITING:
            waiting.insert(0 if path.name in FIRST else len(waiting), unit)
        elif folder in computing:
            computing[folder].append(unit)
        else:
            short += unit
    parts: list[list[T]] = [[] for _ in range(workers)]
    half = (workers + 1) // 2
    processes = itertools.chain.from_iterable(computing.values())
    for units, turns in ((waiting, parts[:half]), (processes, parts[half:] or parts)):
        for part, unit in zip(itertools.cycle(turns), units):
            part += unit
    left, ordered = len(tests), []
    for number, part in enumerate(parts):
        size = left // (workers - number)
        left -= size
        missing = max(0, size - len(part))
        ordered += part + short[:missing]
        del short[:missing]
    return ordered + short


def _unit(place: PurePath) -> tuple[str, PurePath]:
    """The folder of a test, and what stays together: its file, or the folder of its sandbox."""
    folder, *below = place.parts
    shares_sandbox = folder == WAITING and below[0] != "recovery"
    return folder, place.parent if shares_sandbox else place
