"""Times: a time column (and the time zone of the row) → times with an offset."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from itertools import chain
from typing import Final, NamedTuple

from lib.errors import RuleError
from lib.model.account import ConversionAction
from lib.model.outcomes import Problem
from lib.rules.columns import ChunkColumns, RowProblems, plain_text
from lib.rules.row_rules import RowRules
from lib.rules.values.dates import DateOrder, Doubts, meanings_by_order, with_time_of_day
from lib.rules.values.time_reader import MAX_AGE_DAYS, TimeReader
from lib.rules.values.time_zones import UnknownZone, load_zone

_UNKNOWN_ZONE: Final = UnknownZone("time_zone")

_OTHER_ORDER: Final[Mapping[DateOrder | None, str]] = {
    "MDY": "a date such as 20/11/2026, but the profile says MDY",
    "DMY": "a date such as 11/20/2026, but the profile says DMY",
    None: "a date such as 11.20.2026, which has the month first",
}
"""The detail of DATE_ORDER_MISMATCH, by the profile's `date_order`."""
_LEAST_SHARE_LEFT: Final = 0.1
"""The dates that a spreadsheet has left as they were, for each that it has exchanged. If the dates
are those of two weeks or more, there are always more."""

_YEAR_FIRST: Final = re.compile(r"\d{4}-\d\d-\d\d(?!\d)", re.ASCII)


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

    A time that cannot be read is "" and 0, and an error in `problems`; what was assumed to read one
    is a warning there. They are those of the chunk, or others for times that a row may not need.
    With the `actions` of the rows, a warning also says if a time is older than the look-back window
    of its action.

    If dates contradict the declared order of day and month, those that have a meaning in both may
    be rejected too (`_reject_ambiguous_dates`), unless the problems are not those of the chunk.
    """
    texts, instants = [""] * chunk.size, [0] * chunk.size
    zones = chunk.read_once(zone_of, "time_zone")
    time_reader = chunk.file.time_reader
    read = time_reader.read
    lookbacks = [each.lookback_days for each in actions] or [MAX_AGE_DAYS] * chunk.size
    unread = []
    for row, (cell, zone, lookback_days) in enumerate(zip(cells, zones, lookbacks, strict=True)):
        try:
            texts[row], instants[row], doubts = read(cell, zone, lookback_days)
        except RuleError:
            found = _read_unwrapped(cell, zone, lookback_days, time_reader, problems, field)
            if isinstance(found, Problem):
                problems.errors[row].append(found)
                unread.append(row)
                continue
            texts[row], instants[row], doubts = found
        for doubt in doubts:
            problems.warn(row, doubt, field)
    # With other problems than the chunk's, a row may be sent without this time.
    if problems is chunk.problems and field in chunk.file.columns:
        if unread:
            _reject_ambiguous_dates(chunk, field, unread)
        _reject_exchanged_dates(chunk, field)
    return Times(texts, instants)


def _reject_ambiguous_dates(chunk: ChunkColumns, field: str, unread: Sequence[int]) -> None:
    """Reject the dates that can mean two days, if more of the chunk's dates in this column that can
    mean only one contradict the declared order than agree with it. Without one, this is about dates
    with dots, which are read with the day first.

    With MDY, 20/11/2026 and 21/11/2026 contradict it, and 11/20/2026 agrees, so 10/11/2026 is
    rejected. The original cells are read, because those of adjustments may be replaced. `unread`
    are the rows whose time cannot be read.
    """
    declared, problems = chunk.file.time_reader.date_order, chunk.problems
    detail = f"a date such as 10/11/2026, beside {_OTHER_ORDER[declared]}"
    for row in chunk.doubtful_rows(field, declared or "DMY", unread, meanings_by_order):
        if any(each.code == "DATE_ORDER_UNDECLARED" for each in problems.errors.get(row, ())):
            continue  # it has no dots
        _reject_date(problems, row, Problem("DATE_ORDER_MISMATCH", field, detail))


def _reject_exchanged_dates(chunk: ChunkColumns, field: str) -> None:
    """Reject the dates in which a spreadsheet has probably exchanged day and month.

    One that expects 11/25/2026 makes a date of 03/12/2026, which is 2026-03-12 then, and leaves
    25/11/2026 as it is. So a column looks like this if its dates with the year first have no day
    above 12, and all those with slashes can only be read in the same order, and are not few: a
    single one may be a mistake.
    """
    cells = chunk.cells(field)
    # For speed: most columns have dates of one kind.
    text = "".join(cells)
    if "/" not in text or "-" not in text:
        return
    columns = chunk.values_of_entries(chunk.file.columns[field])
    for column in {*columns}:
        rows = [row for row, of_row in enumerate(columns) if of_row == column]
        with_year_first = [row for row in rows if _YEAR_FIRST.match(cells[row])]
        if not with_year_first or any(cells[row][8:10] > "12" for row in with_year_first):
            continue
        left = [cells[row] for row in rows if "/" in cells[row]]
        meanings = (meanings_by_order(plain_text(cell, field) or "") for cell in left)
        are_enough = len(left) >= _LEAST_SHARE_LEFT * len(with_year_first)
        if are_enough and len({*chain.from_iterable(meanings)}) == 1:
            for row in with_year_first:
                _reject_date(chunk.problems, row, Problem("DATE_EXCHANGED", field))


def _reject_date(problems: RowProblems, row: int, problem: Problem) -> None:
    """Reject a date that may mean another day."""
    # What else was found, such as TOO_OLD, is about a day that may not be meant.
    for found in (problems.errors, problems.warnings):
        found[row] = [each for each in found[row] if each.field != problem.field]
    problems.reject(row, *problem)


def _read_unwrapped(
    cell: str,
    zone: tzinfo | None,
    lookback_days: int,
    time_reader: TimeReader,
    problems: RowProblems,
    field: str,
) -> tuple[str, int, Doubts] | Problem:
    """Read a cell again that could not be read as it is: return the time in a wrapped one
    (`="2026-11-20 14:05"`), or the problem of one that is empty or no valid time."""
    text = problems.plain_text(cell, field)
    if not text:
        return Problem("TIME_MISSING", field)
    try:
        return time_reader.read(text, zone, lookback_days)
    except RuleError as error:
        is_other_order = error.code == "DATE_ORDER_MISMATCH"
        detail = _OTHER_ORDER[time_reader.date_order] if is_other_order else ""
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
