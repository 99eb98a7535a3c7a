"""The example of docs/architecture.md is what happens."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.fakes import Dies, World, deliver, results, sales, saved, sweep, world

PAGE = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text("utf-8")
NAME = "deals.csv"
TWO_O_CLOCK = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
MINUTE = 60


def said() -> list[tuple[str, str]]:
    """Return when something happens in the example, and what is saved of the run then."""
    return re.findall(r"^\| (\d\d:\d\d) \| .* \| ([^|]+) \|$", PAGE, re.M)


def in_words(google: World) -> str:
    """Return what is saved of the run, in the words of the page."""
    run = saved(google, NAME)
    due = f"{run.due:%H:%M}" if run.due is not None else "never"
    return f"{run.state}, due {due}, attempts {run.attempts}, tries {run.tries}"


def test_the_example_of_a_run_is_what_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file whose first attempt is killed with its second chunk, and one row of which waits."""
    monkeypatch.setattr("lib.run.chunks.CHUNK_ROWS", 1)
    google = world(time_limit_seconds=540.0)
    google.clock.seconds += (TWO_O_CLOCK - google.clock.utc()).total_seconds()
    found: list[tuple[str, str]] = []

    def note() -> None:
        found.append((f"{google.clock.utc():%H:%M}", in_words(google)))

    def killed_before_the_answer(request: int) -> None:
        if request == 2:
            raise Dies

    def first_attempt(request: int) -> None:
        if request == 1:
            note()
        if request == 3:  # a process that is killed sends nothing more
            raise Dies

    def second_attempt(request: int) -> None:
        if request == 4:
            note()

    google.api.before, google.api.after = first_attempt, killed_before_the_answer
    with pytest.raises(Dies):
        deliver(google, NAME, sales("a", "b", "c"))
    note()
    google.clock.seconds += 30 * MINUTE
    google.api.before, google.api.too_recent = second_attempt, {"c"}
    sweep(google)
    note()
    counts = results(google, NAME)["counts"]
    assert (counts["uploaded"], counts["duplicate"], counts["deferred"]) == (1, 1, 1)
    google.clock.seconds += 6 * 60 * MINUTE
    google.api.too_recent = set()
    sweep(google)
    note()
    assert results(google, NAME)["counts"]["deferred"] == 0
    assert found == said()
