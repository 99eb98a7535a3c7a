"""How the cells are written: order of the day, decimal sign, time zone, currency."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from lib.catalogue.texts import number_of_rows
from lib.cli.init.dated import amount_in
from lib.cli.init.findings import Entry, Found, Question
from lib.cli.init.sample import Sample, SampleRow
from lib.rules.values.cells import RuleError, is_placeholder
from lib.rules.values.dates import read_moment
from lib.rules.values.money import written_currency

_SOON: Final = timedelta(days=1)
"""Clocks and time zones differ by less. A later time is in the future."""


class _Evidence(NamedTuple):
    """What the rows prove: the first line that can only be read one way, or the other."""

    one: int | None
    other: int | None
    is_open: bool
    """Whether a row can be read both ways, with different meanings."""


def day_first(sample: Sample, times: int | None, now: datetime, decided: bool) -> Found:
    """Return the order of day and month: a day over 12 proves it."""
    if times is None or decided:
        return Found()
    cells = [(row.line, row.cells[times]) for row in sample.rows if row.cells[times]]
    evidence = _evidence((line, _moment(cell, False), _moment(cell, True)) for line, cell in cells)
    if evidence.other is not None and evidence.one is None:
        reason = f"The date in line {evidence.other} is only valid with the day first."
        return Found((Entry("day_first", True, reason),))
    if evidence.one is not None or not evidence.is_open:
        return Found()
    late = (now + _SOON).timestamp()
    in_future = any((_moment(cell, False) or 0) > late for _, cell in cells)
    text = "Do dates begin with the day (yes or no)? All of them can be read both ways"
    default = "yes" if in_future or sample.table.delimiter == ";" else "no"
    return Found(questions=(Question("day_first", "--day-first", text, default, True),))


def _moment(cell: str, day_first: bool) -> float | None:
    """Return the moment in Unix seconds; None: not readable in this order."""
    try:
        return read_moment(cell, UTC, day_first=day_first).instant
    except RuleError:
        return None


def decimal_comma(sample: Sample, values: int | None, decided: bool) -> Found:
    """Return the decimal sign: 1,5 proves it."""
    if values is None or decided:
        return Found()
    read = [
        (row.line, amount_in(row.cells[values], False), amount_in(row.cells[values], True))
        for row in sample.rows
        if row.cells[values]
    ]
    evidence = _evidence(read)
    if evidence.other is None or evidence.one is not None:
        return Found()
    reason = f"The value in line {evidence.other} is only valid with a decimal comma."
    return Found((Entry("decimal_comma", True, reason),))


def _evidence(read: Iterable[tuple[int, float | None, float | None]]) -> _Evidence:
    one = other = None
    is_open = False
    for line, first, second in read:
        if first is not None and second is None:
            one = one or line
        elif second is not None and first is None:
            other = other or line
        elif first != second:
            is_open = True
    return _Evidence(one, other, is_open)


def time_zone(
    sample: Sample, rows: Sequence[SampleRow], times: int | None, default: str, decided: bool
) -> Found:
    """Return a question if times state no offset, and neither do the file and its header."""
    is_known = sample.table.time_zone or sample.header.units.get("conversion_date_time")
    if times is None or decided or is_known or sample.field_of("time_zone") is not None:
        return Found()
    without = sum(_lacks_zone(row.cells[times]) for row in rows)
    if not without:
        return Found()
    text = f"Time zone of the times in the file ({number_of_rows(without)} state none)"
    return Found(questions=(Question("time_zone", "--time-zone", text, default, True),))


def _lacks_zone(cell: str, *, day_first: bool = False) -> bool:
    try:
        read_moment(cell, None, day_first=day_first)
    except RuleError as error:
        if error.code == "DATE_ORDER_MISMATCH" and not day_first:
            return _lacks_zone(cell, day_first=True)
        return error.code == "DATE_WITHOUT_ZONE"
    return False


def currency(
    sample: Sample, rows: Sequence[SampleRow], columns: Mapping[str, int], decided: bool
) -> Found:
    """Return the currency next to the values, or a question if values have none."""
    values, codes = columns.get("conversion_value"), columns.get("currency_code")
    if values is None or decided or sample.header.units.get("conversion_value"):
        return Found()
    without = [
        row.cells[values]
        for row in rows
        if row.cells[values]
        and (codes is None or not row.cells[codes] or is_placeholder("word", row.cells[codes]))
    ]
    if not without:
        return Found()
    written = Counter(map(_written, without))
    (code, count), *_ = written.most_common(1)
    if code and count == len(without):
        reason = (
            f"The values of {number_of_rows(count)} without a currency have the sign of {code}."
        )
        return Found((Entry("currency_code", code, reason),))
    text = (
        f"Currency of the values, such as EUR ({number_of_rows(len(without))} state none); empty: "
        "that of the conversion action"
    )
    return Found(questions=(Question("currency_code", "--currency", text, "", False),))


def _written(cell: str) -> str | None:
    try:
        return written_currency(cell)
    except RuleError:
        return None
