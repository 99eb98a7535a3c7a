"""Times: a time column (and the time zone of the row) → times with an offset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Final, NamedTuple

from lib.errors import RuleError
from lib.model.account import ConversionAction
from lib.model.outcomes import Problem
from lib.rules.columns import ChunkColumns, RowProblems
from lib.rules.row_rules import RowRules
from lib.rules.values.conversion_clock import MAX_AGE_DAYS, ConversionClock
from lib.rules.values.dates import DateOrder, Doubts, with_time_of_day
from lib.rules.values.time_zones import UnknownZone, load_zone

_UNKNOWN_ZONE: Final = UnknownZone("time_zone")

_OTHER_ORDER: Final[Mapping[DateOrder | None, str]] = {
    "MDY": "a date such as 20/11/2026, but the profile says MDY",
    "DMY": "a date such as 11/20/2026, but the profile says DMY",
}
"""The detail of DATE_ORDER_MISMATCH, by the profile's `date_order`."""


class Times(NamedTuple):
    """The times of a column: in the format of the APIs, and in Unix seconds ("" and 0: none that
    can be read)."""

    texts: list[str]
    instants: list[int]


CONVERSION_TIME: Final = "conversion_date_time"


def conversion_times(
    chunk: ChunkColumns, problems: RowProblems, actions: Sequence[ConversionAction] = ()
) -> Times:
    """Return the time of each conversion, as `times_of` does."""
    cells = _with_times_of_day(chunk, problems)
    return times_of(chunk, CONVERSION_TIME, cells, problems, actions)


def times_of(
    chunk: ChunkColumns,
    field: str,
    cells: Sequence[str],
    problems: RowProblems,
    actions: Sequence[ConversionAction] = (),
) -> Times:
    """Return the time in each of the `cells`, which are those of `field`, in the row's time zone
    (`zone_of`) or that of the file.

    A time that can't be read is "" and 0, and an error in `problems`; what was assumed to read one
    is a warning there. These are the problems of the chunk, or others if a caller must first see
    which rows need the time. With the `actions` of the rows, a warning also says if a time is older
    than the look-back window of its action.
    """
    texts, instants = [""] * chunk.size, [0] * chunk.size
    zones = chunk.read_once(zone_of, "time_zone")
    clock = chunk.file.clock
    read = clock.read
    lookbacks = [each.lookback_days for each in actions] or [MAX_AGE_DAYS] * chunk.size
    for row, (cell, zone, lookback_days) in enumerate(zip(cells, zones, lookbacks, strict=True)):
        try:
            texts[row], instants[row], doubts = read(cell, zone, lookback_days)
        except RuleError:
            found = _read_unwrapped(cell, zone, lookback_days, clock, problems, field)
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
    """Read a cell again that could not be read as it is: return the time in a wrapped one
    (`="2026-11-20 14:05"`), or the problem of one that is empty or no valid time."""
    text = problems.plain_text(cell, field)
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
    joined = []
    for row, (date, time) in enumerate(zip(dates, times, strict=True)):
        time_of_day = problems.plain_text(time, "time_of_day")
        if time_of_day and date:
            day = problems.plain_text(date, CONVERSION_TIME) or date
            try:
                joined.append(with_time_of_day(day, time_of_day))
                continue
            except RuleError as error:
                problems.warn(row, error.code, "time_of_day")
        joined.append(date)
    return joined


def zone_of(text: str | None, rules: RowRules) -> tzinfo | None:
    """Return the time zone in a cell, or None if the cell has no value.

    One that can't be read becomes an `UnknownZone`, which rejects only rows whose time needs it.
    """
    try:
        return load_zone(text) if text else None
    except RuleError:
        return _UNKNOWN_ZONE
