"""Which rows count: stages, and what was refunded or cancelled → a row filter."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Final, Literal

from lib.cli.init.findings import Entry
from lib.cli.init.sample import Sample, SampleRow, filled
from lib.rules.row_filter import Condition, RowFilter
from lib.rules.stages import is_stage_column, stage_of
from lib.rules.values.dates import read_moment
from lib.rules.values.errors import RuleError
from lib.rules.values.money import parse_value
from lib.rules.values.spelling import without_accents
from lib.source.columns import columns_named

_MOST_STAGES: Final = 40
"""A column with more different cells is no list of stages."""
_MOST_VALUES: Final = 10
_LABEL: Final = re.compile(r"(?<=[a-z])(?:label|name|type)$")
_WORDS: Final = re.compile(r"[^\W\d_]+")
_REFUNDED: Final = ("refund", "erstatt", "rembours", "reembols", "rimbors", "terugbetaal", "estorn")
_CANCELLED: Final = ("cancel", "stornier", "annul", "anula", "geannuleer")


@dataclass(frozen=True, slots=True)
class Counting:
    """The row filter of a profile, and the rows of the sample that it keeps."""

    entries: tuple[Entry, ...]
    rows: Sequence[SampleRow]


def find_row_filter(sample: Sample, given: Mapping[str, Mapping[str, Sequence[str]]]) -> Counting:
    """Return the row filter. `given` is what a person said about `include` and `exclude`."""
    if given:
        reason = "You gave it with --include."
        entries = [Entry(key, values, reason) for key, values in given.items()]
        return Counting(tuple(entries), _kept(sample, sample.rows, given))
    rows = sample.rows
    include: dict[str, list[str]] = {}
    reasons: list[str] = []
    excluded = None
    for at, won in _stage_columns(sample):
        kept = [
            row for row in rows if row.cells[at].casefold() in {each.casefold() for each in won}
        ]
        has_other = any(stage_of(row.cells[at]) == "not_won" for row in rows)
        if kept and (not include or has_other):
            include[sample.names[at]] = won
            reasons.append(_on_stages(sample.names[at], len(rows) - len(kept), len(rows)))
            rows = kept
    if not include and (excluded := _lost_stages(sample)):
        column, lost = excluded
        rows = [row for row in rows if row.cells[column] not in lost]
    for at, values, reason in _undone(sample, rows):
        include[sample.names[at]] = values
        reasons.append(reason)
        rows = [row for row in rows if row.cells[at] in values]
    entries = [Entry("include", include, "\n".join(reasons))] if include else []
    if excluded:
        column, lost = excluded
        name = sample.names[column]
        reason = "These values mean that a deal is open or lost. None in the sample means won."
        entries.append(Entry("exclude", {name: lost}, reason))
    return Counting(tuple(entries), rows)


def _on_stages(name: str, others: int, rows: int) -> str:
    if others:
        return f'"{name}": {others:,} of {rows:,} rows have another value, so they do not count.'
    return f'"{name}": all rows have this value. Rows with another one would not count.'


def _kept(
    sample: Sample,
    rows: Sequence[SampleRow],
    given: Mapping[str, Mapping[str, Sequence[str]]],
) -> Sequence[SampleRow]:
    """Apply a filter that a person gave. If its column does not exist, the check reports it."""
    conditions = [
        Condition(name, columns[0], key == "include", tuple(values))
        for key, by_column in given.items()
        for name, values in by_column.items()
        if (columns := columns_named(name, sample.names))
    ]
    selected = RowFilter(conditions).select([(row.line, list(row.cells), None, 0) for row in rows])
    lines = {line for line, *_ in selected.rows}
    return [row for row in rows if row.line in lines]


def _stage_columns(sample: Sample) -> list[tuple[int, list[str]]]:
    """Return the columns with stages that mean won, and these stages, the clearest column first."""
    found = []
    for at, values in _candidates(sample):
        won = [value for value in values if stage_of(value) == "won"]
        if won and len(won) <= _MOST_VALUES:
            spellings = {value.casefold(): value for value in reversed(won)}
            found.append((at, sorted(spellings.values(), key=won.index)))
    # With one value that means won, the column is the CRM's own status, not a pipeline's stage.
    return sorted(found, key=lambda each: (len(each[1]), each[0]))


def _lost_stages(sample: Sample) -> tuple[int, list[str]] | None:
    for at, values in _candidates(sample):
        lost = [value for value in values if stage_of(value) == "not_won"]
        if lost and len(lost) <= _MOST_VALUES and len(lost) < len(values):
            return at, lost
    return None


def _candidates(sample: Sample) -> Iterator[tuple[int, list[str]]]:
    for at in sample.free_columns():
        if is_stage_column(_LABEL.sub("", sample.names[at].casefold())):
            counts = Counter(filled(sample.rows, at))
            if counts and len(counts) <= _MOST_STAGES:
                yield at, [value for value, _ in counts.most_common()]


def _undone(sample: Sample, rows: Sequence[SampleRow]) -> Iterator[tuple[int, list[str], str]]:
    """Yield the columns that say that a sale was refunded or cancelled: their cells are empty or
    zero in rows that count."""
    for stems, wanted in ((_REFUNDED, ("amount", "date")), (_CANCELLED, ("date", "amount"))):
        columns = [
            (wanted.index(kind), len(sample.names[at]), at)
            for at in sample.free_columns()
            if _begins_with(sample.names[at], stems)
            and (kind := _kind(sample.rows, at)) is not None
        ]
        if not columns:
            continue
        *_, at = min(columns)
        values = sorted({row.cells[at] for row in rows if _is_nothing(row.cells[at])})
        if values and len(values) <= _MOST_VALUES:
            name = sample.names[at]
            yield at, values, f'"{name}": in a row that counts, nothing is refunded or cancelled.'


def _begins_with(name: str, stems: tuple[str, ...]) -> bool:
    words = _WORDS.findall(without_accents(name).casefold())
    return any(word.removeprefix("zuruck").removeprefix("ruck").startswith(stems) for word in words)


def _kind(rows: Sequence[SampleRow], at: int) -> Literal["amount", "date"] | None:
    """Return whether the cells of a column are amounts or dates; None: neither."""
    cells = filled(rows, at)
    if cells and all(map(_is_amount, cells)):
        return "amount"
    return "date" if all(map(_is_date, cells)) else None


def _is_amount(cell: str) -> bool:
    for decimal_comma in (False, True):
        try:
            parse_value(cell, decimal_comma)
        except RuleError as error:
            if error.code != "DECIMAL_SIGN_MISMATCH":
                return False
        else:
            return True
    return False


def _is_date(cell: str) -> bool:
    try:
        read_moment(cell, UTC)
    except RuleError as error:
        return error.code in ("DATE_ORDER_MISMATCH", "UNKNOWN_TIME_ZONE")
    return True


def _is_nothing(cell: str) -> bool:
    return not cell or (not cell.strip("0.,") and _is_amount(cell))
