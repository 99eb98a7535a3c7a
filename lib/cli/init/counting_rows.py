"""Which rows count: stages, and what was refunded or cancelled → a row filter."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lib.cli.init.dated import begins_with, is_nothing, kind_of_cells
from lib.cli.init.findings import Entry
from lib.cli.init.refunds import REFUNDED, ProposedRefunds, find_refunds
from lib.cli.init.sample import Sample, SampleRow, filled
from lib.rules.row_filter import Condition, RowFilter
from lib.rules.stages import is_stage_column, stage_of
from lib.rules.values.order_ids import looks_personal
from lib.source.columns import columns_named

_MOST_STAGES: Final = 40
"""A column with more different cells is no list of stages."""
_MOST_VALUES: Final = 10
_ON_HOLD: Final = ("on-hold", "on hold", "wc-on-hold")
"""Only WooCommerce has this status. There, `processing` and `completed` orders are paid."""
_LABEL: Final = re.compile(r"(?<=[a-z])(?:label|name|type)$")
_CANCELLED: Final = ("cancel", "stornier", "annul", "anula", "geannuleer")


@dataclass(frozen=True, slots=True)
class Counting:
    """The row filter of a profile, the rows of the sample that it keeps, and the refunds."""

    entries: tuple[Entry, ...]
    rows: Sequence[SampleRow]
    refunds: ProposedRefunds


def find_row_filter(
    sample: Sample, given: Mapping[str, Mapping[str, Sequence[str]]], *, can_retract: bool = True
) -> Counting:
    """Return the row filter. `given` is what a person said about `include` and `exclude`.
    `can_retract`: the destination can take refunds."""
    if given:
        reason = "You gave it with --include."
        entries = [Entry(key, values, reason) for key, values in given.items()]
        return Counting(tuple(entries), _kept(sample, sample.rows, given), ProposedRefunds())
    rows = sample.rows
    include: dict[str, list[str]] = {}
    filtered_by: list[int] = []
    reasons: list[str] = []
    for at, won in _stage_columns(sample):
        wanted = {each.casefold() for each in won}
        kept = [row for row in rows if row.cells[at].casefold() in wanted]
        has_other = any(stage_of(row.cells[at]) == "not_won" for row in rows)
        if kept and (not include or has_other):
            include[sample.names[at]] = won
            filtered_by.append(at)
            cells = (row.cells[at] for row in rows)
            others = [cell for cell in cells if cell.casefold() not in wanted]
            reasons.append(_on_stages(sample.names[at], others, len(rows)))
            rows = kept
    excluded = None if include else _lost_stages(sample)
    stages = list(_candidates(sample))
    refunds = find_refunds(sample, stages, rows, filtered_by, can_retract=can_retract)
    if excluded:
        column, lost = excluded
        rows = [row for row in rows if row.cells[column] not in lost]
    for at, values, reason in _undone(sample, rows, skips_refunds=not refunds.are_sent):
        include[sample.names[at]] = values
        reasons.append(reason)
        rows = [row for row in rows if row.cells[at] in values]
    if refunds.stages and include and not refunds.are_sent:
        reasons.append(refunds.reason)
    entries = [Entry("include", include, "\n".join(reasons))] if include else []
    entries += _excluded(sample, excluded, refunds)
    if refunds.are_sent:
        entries.append(Entry("refunds", refunds.stages, refunds.reason))
    return Counting(tuple(entries), rows, refunds)


def _excluded(
    sample: Sample, excluded: tuple[int, list[str]] | None, refunds: ProposedRefunds
) -> list[Entry]:
    """Return the key `exclude`, without the stages that are sent as refunds."""
    if not excluded:
        return []
    name, lost = sample.names[excluded[0]], excluded[1]
    sent = refunds.stages.get(name, ()) if refunds.are_sent else ()
    left = [each for each in lost if each not in sent]
    reason = "These values mean that a deal is open or lost. None in the sample means won."
    return [Entry("exclude", {name: left}, reason)] if left else []


def _on_stages(name: str, others: Sequence[str], rows: int) -> str:
    """Return the reason for a condition. `others` are the cells of the rows that do not count."""
    if not others:
        return f'"{name}": all rows have this value. Rows with another one would not count.'
    text = f'"{name}": {len(others):,} of {rows:,} rows have another value, so they do not count.'
    unknown = Counter(filter(_is_unknown, others))
    if not unknown:
        return text
    named = ", ".join(f'"{each}" ({count:,})' for each, count in unknown.most_common(_MOST_VALUES))
    return f"{text} Add those that are sales: {named}."


def _is_unknown(stage: str) -> bool:
    """Return whether nothing is known about a stage. It is named then: stages are not personal."""
    return bool(stage) and stage_of(stage) is None and not looks_personal(stage)


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
        if any(value.casefold() in _ON_HOLD for value in values):
            won += [value for value in values if value.casefold() == "processing"]
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


def _undone(
    sample: Sample, rows: Sequence[SampleRow], *, skips_refunds: bool
) -> Iterator[tuple[int, list[str], str]]:
    """Yield the columns that say that a sale was refunded or cancelled: their cells are empty or
    zero in rows that count. Not those of refunds if refunds are sent."""
    both = ((REFUNDED, ("amount", "date")), (_CANCELLED, ("date", "amount")))
    for stems, wanted in both if skips_refunds else both[1:]:
        columns = [
            (wanted.index(kind), len(sample.names[at]), at)
            for at in sample.free_columns()
            if begins_with(sample.names[at], stems)
            and (kind := kind_of_cells(sample.rows, at)) is not None
        ]
        if not columns:
            continue
        *_, at = min(columns)
        values = sorted({row.cells[at] for row in rows if is_nothing(row.cells[at])})
        if values and len(values) <= _MOST_VALUES:
            name = sample.names[at]
            yield at, values, f'"{name}": in a row that counts, nothing is refunded or cancelled.'
