"""Conversion times: the time column (and the time zone of the row) → times with an offset."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final, NamedTuple

from lib.model.outcomes import Problem
from lib.rules.chunk_cells import ChunkCells
from lib.rules.conversion_actions import ActionRule
from lib.rules.plain_text import plain_text
from lib.rules.row_problems import RowProblems
from lib.rules.values.cells import RuleError
from lib.rules.values.conversion_clock import ConversionClock
from lib.rules.values.dates import AMBIGUOUS_ORDER, Doubts, with_time_of_day
from lib.rules.values.time_zones import UnknownZone, load_zone

_UNKNOWN_ZONE = UnknownZone("time_zone")

_OTHER_ORDER = {
    False: "dates are day first (as in 20/11/2026), but day_first is not set in the profile",
    True: "dates are month first (as in 11/20/2026), but day_first is set in the profile",
}
"""The detail of DATE_ORDER_MISMATCH, by the profile's `day_first`."""


class TimeColumn(NamedTuple):
    """The field of a time, and the code of a row without one."""

    field: str
    missing_code: str


CONVERSION_TIME: Final = TimeColumn("conversion_date_time", "TIME_MISSING")


class Times(NamedTuple):
    """The times of a column. `texts` have the format of the APIs; `instants` are in Unix seconds.

    `ambiguous` are the rows whose date is also valid with day and month swapped. `mismatch` is the
    first row whose date is valid only with day and month swapped.
    """

    texts: list[str]
    instants: list[int]
    ambiguous: list[int]
    mismatch: int | None


def read_times(
    cells: Sequence[str],
    zones: Sequence[tzinfo | None],
    actions: Sequence[ActionRule],
    clock: ConversionClock,
    problems: RowProblems,
    column: TimeColumn = CONVERSION_TIME,
) -> Times:
    """Return the time of each row. `zones` are the time zones that the rows give."""
    texts, instants = [""] * len(cells), [0] * len(cells)
    ambiguous: list[int] = []
    mismatch: int | None = None
    read = clock.read
    for row, (cell, zone, action) in enumerate(zip(cells, zones, actions, strict=True)):
        try:
            texts[row], instants[row], doubts = read(cell, zone, action.lookback_days)
        except RuleError:
            found = _read_unwrapped(cell, zone, action.lookback_days, clock, problems, column)
            if isinstance(found, Problem):
                problems.errors[row].append(found)
                if found.code == "DATE_ORDER_MISMATCH" and mismatch is None:
                    mismatch = row
                continue
            texts[row], instants[row], doubts = found
        for doubt in doubts:
            if doubt == AMBIGUOUS_ORDER:
                ambiguous.append(row)
            else:
                problems.warn(row, doubt, column.field)
    return Times(texts, instants, ambiguous, mismatch)


def with_times_of_day(chunk: ChunkCells, problems: RowProblems) -> Sequence[str]:
    """Return the time column, with the times of day of the other column if the file has one."""
    dates, times = chunk.column("conversion_date_time"), chunk.column("time_of_day")
    if not any(times):
        return dates
    marks = problems.with_placeholders
    joined = []
    for row, (date, time) in enumerate(zip(dates, times, strict=True)):
        time_of_day = plain_text(time, "time_of_day", marks)
        if time_of_day and date:
            day = plain_text(date, "conversion_date_time", marks) or date
            try:
                joined.append(with_time_of_day(day, time_of_day))
                continue
            except RuleError as error:
                problems.warn(row, error.code, "time_of_day")
        joined.append(date)
    return joined


def _read_unwrapped(
    cell: str,
    zone: tzinfo | None,
    lookback_days: int,
    clock: ConversionClock,
    problems: RowProblems,
    column: TimeColumn,
) -> tuple[str, int, Doubts] | Problem:
    """Read a cell that is empty, wrapped, or not a valid time."""
    text = plain_text(cell, column.field, problems.with_placeholders)
    if not text:
        return Problem(column.missing_code, column.field)
    try:
        return clock.read(text, zone, lookback_days)
    except RuleError as error:
        detail = _OTHER_ORDER[clock.day_first] if error.code == "DATE_ORDER_MISMATCH" else ""
        return Problem(error.code, error.field or column.field, detail)


def ambiguous_order(line: int, day_first: bool, column: TimeColumn = CONVERSION_TIME) -> Problem:
    """Return the problem of a date that is valid in both orders: `line` proves the other order."""
    detail = f"day and month are ambiguous here, and in line {line} {_OTHER_ORDER[day_first]}"
    return Problem("DATE_ORDER_MISMATCH", column.field, detail)


def refuse_ambiguous(
    when: Times, lines: Sequence[int], day_first: bool, problems: RowProblems, column: TimeColumn
) -> None:
    """Reject the rows whose date is valid in both orders, if another row proves the other order."""
    if when.mismatch is not None:
        proof = ambiguous_order(lines[when.mismatch], day_first, column)
        for row in when.ambiguous:
            problems.errors[row].append(proof)


def zone_of(cell: str, with_placeholders: set[str]) -> tzinfo | None:
    """Return the time zone in a cell, or None if the cell has no value.

    A time zone that can't be read rejects only the rows whose time needs it.
    """
    text = plain_text(cell, "time_zone", with_placeholders)
    try:
        return load_zone(text) if text else None
    except RuleError:
        return _UNKNOWN_ZONE
