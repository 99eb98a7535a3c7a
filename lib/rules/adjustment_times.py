"""Adjustment times: the column → times with an offset.

A date without a time of day means the end of that day: an order that was sold and refunded on one
day was refunded after it was sold. But the time of a refund is never in the future. So on the day
itself, it is the start of the file's first attempt, which is the same for all attempts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from lib.rules import times
from lib.rules.conversion_actions import NO_ACTION
from lib.rules.plain_text import plain_text
from lib.rules.row_problems import RowProblems
from lib.rules.times import TimeColumn, Times
from lib.rules.values.cells import RuleError
from lib.rules.values.conversion_clock import ConversionClock
from lib.rules.values.dates import at_end_of_day


def read_adjustment_times(
    cells: Sequence[str],
    zones: Sequence[tzinfo | None],
    clock: ConversionClock,
    now: datetime,
    problems: RowProblems,
    column: TimeColumn,
) -> Times:
    """Return the time of each adjustment. `zones` are the time zones that the rows give."""
    known: dict[tuple[str, tzinfo | None], str] = {}
    completed = list(cells)
    for row, (cell, zone) in enumerate(zip(cells, zones, strict=True)):
        # A cell with a time of day has a colon or is a number. Others are few: they are dates.
        if not cell or ":" in cell:
            continue
        if (cell, zone) not in known:
            text = plain_text(cell, column.field, set()) or cell
            known[cell, zone] = _completed(text, zone, clock, now)
        if known[cell, zone]:
            completed[row] = known[cell, zone]
            problems.warn(row, "ADJUSTED_ON_THAT_DAY", column.field)
    return times.read_times(completed, zones, [NO_ACTION] * len(cells), clock, problems, column)


def _completed(cell: str, zone: tzinfo | None, clock: ConversionClock, now: datetime) -> str:
    """Return a date with the time that it means, or "" if it has a time or is no valid date."""
    last = at_end_of_day(cell)
    if last is None:
        return ""
    try:
        clock.read(last, zone)
    except RuleError as error:
        if error.code != "FUTURE_DATE":
            return ""
    else:
        return last
    try:
        midnight, *_ = clock.read(cell, zone)
    except RuleError:
        return ""
    offset = datetime.fromisoformat(midnight).tzinfo
    return now.astimezone(offset).isoformat(" ", "seconds")
