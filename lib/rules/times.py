"""Times: a time column (and the time zone of the row) → times with an offset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Final, NamedTuple

from lib.errors import RuleError
from lib.model.outcomes import Problem
from lib.rules.columns import ChunkColumns, RowProblems, plain_text
from lib.rules.row_rules import NO_ACTION, ActionRule, RowRules
from lib.rules.values.conversion_clock import ConversionClock
from lib.rules.values.dates import DateOrder, Doubts, with_time_of_day
from lib.rules.values.time_zones import UnknownZone, load_zone

_UNKNOWN_ZONE: Final = UnknownZone("time_zone")

_OTHER_ORDER: Final[Mapping[DateOrder | None, str]] = {
    "MDY": "a date such as 20/11/2026, but the profile says MDY",
    "DMY": "a date such as 11/20/2026, but the profile says DMY",
}
"""The detail of DATE_ORDER_MISMATCH, by the profile's `date_order`."""


class Times(NamedTuple):
    """The times of a column: in the format of the APIs, and in Unix seconds."""

    texts: list[str]
    instants: list[int]


CONVERSION_TIME: Final = "conversion_date_time"


def read_conversion_times(chunk: ChunkColumns, actions: Sequence[ActionRule]) -> Times:
    """Return the time of each conversion. A warning says if it is older than the look-back window
    of its conversion action."""
    cells = _with_times_of_day(chunk, chunk.problems)
    return _read(chunk, CONVERSION_TIME, cells, actions, chunk.problems)


def conversion_times(chunk: ChunkColumns, problems: RowProblems) -> Times:
    """Return the time of each conversion, for records of another kind (`times_of`)."""
    return times_of(chunk, CONVERSION_TIME, _with_times_of_day(chunk, problems), problems)


def times_of(chunk: ChunkColumns, field: str, cells: Sequence[str], problems: RowProblems) -> Times:
    """Return the time of each row. The look-back window of the conversion action makes no
    difference."""
    return _read(chunk, field, cells, [NO_ACTION] * chunk.size, problems)


def _read(
    chunk: ChunkColumns,
    field: str,
    cells: Sequence[str],
    actions: Sequence[ActionRule],
    problems: RowProblems,
) -> Times:
    texts, instants = [""] * chunk.size, [0] * chunk.size
    zones = chunk.read_once(zone_of, "time_zone")
    clock = chunk.file.clock
    read = clock.read
    for row, (cell, zone, action) in enumerate(zip(cells, zones, actions, strict=True)):
        try:
            texts[row], instants[row], doubts = read(cell, zone, action.lookback_days)
        except RuleError:
            found = _read_unwrapped(cell, zone, action.lookback_days, clock, problems, field)
            if isinstance(found, Problem):
                problems.errors[row].append(found)
                continue
            texts[row], instants[row], doubts = found
        for doubt in doubts:
            problems.warn(row, doubt, field)
    return Times(texts, instants)


def _read_unwrapped(
    cell: str,
    zone: tzinfo | None,
    lookback_days: int,
    clock: ConversionClock,
    problems: RowProblems,
    field: str,
) -> tuple[str, int, Doubts] | Problem:
    """Read a cell that is empty, wrapped, or not a valid time."""
    text = plain_text(cell, field, problems.with_placeholders)
    if not text:
        return Problem("TIME_MISSING", field)
    try:
        return clock.read(text, zone, lookback_days)
    except RuleError as error:
        is_other_order = error.code == "DATE_ORDER_MISMATCH"
        detail = _OTHER_ORDER[clock.date_order] if is_other_order else ""
        return Problem(error.code, error.field or field, detail)


def _with_times_of_day(chunk: ChunkColumns, problems: RowProblems) -> Sequence[str]:
    """Return the time column, with the times of day of the other column if the file has one."""
    dates, times = chunk.cells(CONVERSION_TIME), chunk.cells("time_of_day")
    if not any(times):
        return dates
    marks = problems.with_placeholders
    joined = []
    for row, (date, time) in enumerate(zip(dates, times, strict=True)):
        time_of_day = plain_text(time, "time_of_day", marks)
        if time_of_day and date:
            day = plain_text(date, CONVERSION_TIME, marks) or date
            try:
                joined.append(with_time_of_day(day, time_of_day))
                continue
            except RuleError as error:
                problems.warn(row, error.code, "time_of_day")
        joined.append(date)
    return joined


def zone_of(cell: str, rules: RowRules, with_placeholders: set[str]) -> tzinfo | None:
    """Return the time zone in a cell, or None if the cell has no value.

    A time zone that can't be read rejects only the rows whose time needs it.
    """
    text = plain_text(cell, "time_zone", with_placeholders)
    try:
        return load_zone(text) if text else None
    except RuleError:
        return _UNKNOWN_ZONE
