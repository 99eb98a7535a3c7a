"""How long it takes until somebody hears that rows stop counting, or that files stop coming.

docs/operate.md lists these times; tests/run/test_silences.py compares the table with it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest

from tests.followup.days import DAY, HOUR, START, Days, heard_after, is_listed, settings

NIGHT = START.replace(hour=2) + DAY
HISTORY = 40
"""So many nights in which all was well: eight weeks of weekdays."""


class Cause(NamedTuple):
    """The concern that tells it, and what happens from `NIGHT` on."""

    kind: str
    play: Callable[[Days], object]
    begins: datetime = NIGHT
    expect: str = ""


def nights(
    before: dict[str, int], after: dict[str, int], alerts: str = ""
) -> Callable[[Days], None]:
    """A file each night, in which something else happens from one night on."""

    def play(days: Days) -> None:
        for night in range(HISTORY, 0, -1):
            days.results(f"sales-{100 - night}.csv", NIGHT - night * DAY, **before)
        for night in range(10):
            days.pass_until(NIGHT + night * DAY)
            days.results(f"sales-{100 + night}.csv", alerts=alerts, test="ok" in after, **after)

    return play


def leads(days: Days) -> None:
    """A file for each lead, 8 a day, and every tenth is wrong."""
    for lead in range(160, 0, -1):
        wrong = lead % 10 == 9
        days.results(f"old-{lead}.csv", NIGHT - lead * 3 * HOUR, uploaded=not wrong, rejected=wrong)
    for lead in range(20):
        days.pass_until(NIGHT + lead * 3 * HOUR)
        days.results(f"{lead}.csv", rejected=1)


def later(after: timedelta, **counts: int) -> Callable[[Days], None]:
    """Rows are open, and fail later."""

    def play(days: Days) -> None:
        days.now = NIGHT
        rows = counts["uploaded"] + counts.get("failed", 0)
        first = {"deferred": counts["waited"]} if "waited" in counts else {"awaiting": rows}
        results = days.results("a.csv", uploaded=counts["uploaded"], rows=rows, **first)
        days.pass_until(NIGHT + after)
        days.follow_up(results, **counts)

    return play


def stopped(days: Days) -> None:
    days.now = NIGHT
    days.results("a.csv", status="stopped", code="CUSTOMER_NOT_FOUND", not_attempted=9)


def nothing_comes(days: Days) -> None:
    """Files came each night, until the one before `NIGHT`."""
    for night in range(HISTORY, 0, -1):
        days.results(f"sales-{100 - night}.csv", NIGHT - night * DAY, uploaded=9)


def misunderstood(days: Days) -> None:
    days.pass_until(NIGHT)
    days.settings = settings(no_file_holidays=("25.12.",))


def nothing(days: Days) -> None:
    """No file ever came."""


MONTH_END = datetime.fromisoformat("2026-11-30T18:00:00+00:00")
CAUSES = {
    "No row of a nightly file counts, of 2 or more": Cause(
        "rows_lost", nights({"uploaded": 2}, {"rejected": 2})
    ),
    "The only row of a nightly file does not count": Cause(
        "rows_lost", nights({"uploaded": 1}, {"rejected": 1})
    ),
    "None of 8 files a day counts, of one lead each": Cause("rows_lost", leads),
    "Half of a file's rows, 15 or more, do not count (failed)": Cause(
        "rows_lost", nights({"uploaded": 30}, {"uploaded": 15, "failed": 15})
    ),
    "Half of a file's rows, 15 or more, do not count (not attempted)": Cause(
        "rows_lost", nights({"uploaded": 60}, {"uploaded": 10, "not_attempted": 50})
    ),
    "Google accepts the rows of a file, and an hour later counts none": Cause(
        "rows_lost", later(HOUR, uploaded=4, uncounted=4)
    ),
    "Refunds of unknown orders, which fail after two days": Cause(
        "rows_lost", later(2 * DAY, uploaded=540, failed=60, waited=60, failed_later=60)
    ),
    "A stopped file is not replaced, a day after `run_stopped`": Cause("file_stopped", stopped),
    "A file has less than a tenth of its usual rows": Cause(
        "volume_fell", nights({"uploaded": 800}, {"uploaded": 2})
    ),
    "The export is stuck: the same rows each night": Cause(
        "nothing_new", nights({"uploaded": 30}, {"duplicate": 30})
    ),
    "`validate_only` is left on": Cause("test_mode", nights({"uploaded": 30}, {"ok": 30})),
    "A row filter keeps no row any more": Cause(
        "filter_mismatch", nights({"uploaded": 30}, {"skipped": 30}, "FILTER_KEEPS_NO_ROW")
    ),
    "No file comes, and somebody has said when (each night)": Cause(
        "no_file", nothing_comes, NIGHT + HOUR, "every day by 03:00"
    ),
    "No file comes each night any more, and nobody has said when": Cause(
        "no_file_as_usual", nothing_comes
    ),
    "No file comes, and somebody has said when (each month)": Cause(
        "no_file", nothing, MONTH_END, "the last working day of the month by 18:00"
    ),
    "No file comes, and somebody has said when (the first)": Cause(
        "no_file", nothing, NIGHT + HOUR, "every day by 03:00"
    ),
    "A time zone, a holiday or `expect` is not understood": Cause("watch_unclear", misunderstood),
}


@pytest.mark.parametrize("name", CAUSES)
def test_it_is_heard_as_soon_as_the_page_says(name: str) -> None:
    """Sweeps run every 15 minutes."""
    cause = CAUSES[name]
    days = Days(profiles={"default": {"expect": cause.expect} if cause.expect else {}})
    days.sweep(NIGHT - HOUR)
    cause.play(days)
    days.pass_until(max(days.now, cause.begins) + 3 * DAY)
    assert {each.kind for each in days.lines if each.at < cause.begins} == set()
    heard = days.first(cause.kind).at - cause.begins
    assert is_listed(name, heard), heard_after(heard)
