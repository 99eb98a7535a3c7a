"""Kills while two generations of one upload are processed: each conversion still counts once.

The function's process is killed at the n-th remote call. Then a gateway copies the object onto
itself, and both generations are delivered until they are finished. So the first run has sent
nothing, half of its rows or all of them when it is replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox.up import Sandbox
from tests.schedule import EVERY_CALL
from tests.whole.recovery.files import (
    File,
    check_counted_once,
    check_document,
    finish,
    log_lines,
    make_file,
    until,
)

STRIDE = 1 if EVERY_CALL else 17

KINDS = ("click", "identifiers", "warned")


@pytest.fixture(autouse=True)
def _versions_are_kept_again(google: Sandbox) -> Iterator[None]:
    yield
    google.keep_versions(True)


def check_both(google: Sandbox, file: File, documents: list[dict[str, Any]]) -> None:
    """Assert that one of the documents has all rows, and that no conversion counts twice."""
    complete = [each for each in documents if each["status"] == "completed"]
    assert complete
    for document in complete:
        check_document(file, document)
    generations = {each["source"]["generation"] for each in complete}
    for document in documents:
        if document not in complete:
            assert document["status"] in ("same_as", "superseded")
            assert document["other_generation"] in generations
    jobs = {each["job_id"] for each in documents}
    check_counted_once(file, [each for each in google.state.accepted if each.job_id in jobs])


@pytest.mark.parametrize(
    "versioned, kind, start",
    [(False, "kill_before", 3), (False, "kill_after", 4), (True, "kill_after", 6)],
)
def test_a_kill_before_the_object_is_replaced(
    google: Sandbox,
    new_name: Iterator[str],
    versioned: bool,
    kind: str,
    start: int,
    record_property: Callable[[str, object], None],
) -> None:
    """Whenever the first run is killed, both generations end, and no alert is raised."""
    google.keep_versions(versioned)
    nth = start
    statuses = set()
    while True:
        alerts = [line for line in log_lines(google) if line["severity"] == "ERROR"]
        google.faults.set([{"method": "*", "nth": nth, "kind": kind}])
        file = make_file(next(new_name), 210, seed=nth, kinds=KINDS).drop(google)
        until(lambda: google.faults.fired()[0]["fired"] or google.delivery.idle)
        second = file.copy_onto_itself(google)
        documents = [finish(google, file), google.results(file.name, second)]
        assert google.delivery.wait_until_idle()
        check_both(google, file, documents)
        statuses.add((documents[0]["status"], documents[1]["status"]))
        assert alerts == [line for line in log_lines(google) if line["severity"] == "ERROR"]
        if not google.faults.fired()[0]["fired"]:
            break
        nth += STRIDE
    record_property("crash points", (nth - start) // STRIDE)
    assert ("completed", "same_as") in statuses
    assert versioned or ("superseded", "completed") in statuses
