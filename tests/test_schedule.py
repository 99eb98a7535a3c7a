"""The order of the tests (`schedule.py`)."""

from __future__ import annotations

from pathlib import PurePath

import pytest

from tests.schedule import COMPUTING, WAITING, dealt

FOLDERS = ("cli", "rules/values", "run", "terraform", "whole/main_job", "whole/recovery")
TESTS = [
    (PurePath(folder, f"test_{n}.py"), case)
    for folder in FOLDERS
    for n in range(3 if folder.split("/")[0] in (WAITING, *COMPUTING) else 9)
    for case in range(20)
]


@pytest.mark.parametrize("workers", range(1, 7))
def test_every_test_is_dealt_once_and_every_worker_begins_with_long_ones(workers: int) -> None:
    """With any number of workers, no test is lost, and the tests of a file stay in their order."""
    ordered = dealt(TESTS, lambda test: test[0], workers)
    assert sorted(ordered) == sorted(TESTS)
    for path, _ in TESTS:
        assert [case for place, case in ordered if place == path] == list(range(20))
    size = len(ordered) // workers
    firsts = {ordered[number * size][0].parts[0] for number in range(workers)}
    assert firsts <= {WAITING, *COMPUTING}
    assert workers == 1 or WAITING in firsts < {WAITING, *COMPUTING}
