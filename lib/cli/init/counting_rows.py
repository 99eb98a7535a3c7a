"""Which rows count, from the stages of deals and from columns of refunds and cancellations.

A refund adjusts its conversion, so a filter must not just drop its row.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from lib.cli.init.proposal import Entry, Proposal
from lib.cli.init.sample import (
    Sample,
    SampleRow,
    begins_with,
    filled,
    is_nothing,
    kind_of_cells,
)
from lib.rules.row_filter import Condition, RowFilter
from lib.rules.stages import is_partial, is_stage_column, stage_of
from lib.rules.values.order_ids import looks_personal
from lib.source.header import columns_named

_MOST_STAGES: Final = 40
"""A column with more different cells is no list of stages."""
_MOST_VALUES: Final = 10
_ON_HOLD: Final = ("on-hold", "on hold", "wc-on-hold")
"""Only WooCommerce has this status. There, `processing` and `completed` orders are paid."""
_LABEL: Final = re.compile(r"(?<=[a-z])(?:label|name|type)$")
_REFUNDED: Final = ("refund", "erstatt", "rembours", "reembols", "rimbors", "terugbetaal", "estorn")
"""How words for refunds begin, in the languages of `lib.rules.stages`."""
_CANCELLED: Final = ("cancel", "stornier", "annul", "anula", "geannuleer")


@dataclass(frozen=True, slots=True)
class _Refunds:
    """The refunds in a sample: stages by column, and the column with the time of the refund.

    `why_not`: why the profile cannot have the key `refunds`.
    """

    stages: Mapping[str, Sequence[str]] = field(default_factory=dict)
    time: int | None = None
    why_not: str = ""

    @property
    def are_sent(self) -> bool:
        """Whether the profile gets the key `refunds`."""
        return bool(self.stages) and not self.why_not

    @property
    def reason(self) -> str:
        """Why the profile has the key, or lacks it. The stages are no personal data."""
        stages = ", ".join(f'"{each}"' for values in self.stages.values() for each in values)
        if not self.why_not:
            return f"Rows with {stages} are refunds: they retract or restate their conversions."
        return f"Rows with {stages} are refunds, and are not sent: {self.why_not}."


class CountingRows(NamedTuple):
    """The keys of a profile that say which rows count, these rows of the sample, and the column
    with the time of a refund, if refunds are sent."""

    part: Proposal
    rows: Sequence[SampleRow]
    refund_time: int | None = None


def find_counting_rows(
    sample: Sample, given: Mapping[str, Mapping[str, Sequence[str]]], *, can_retract: bool
) -> CountingRows:
    """Return which rows count. `given` is what a person said about `include` and `exclude`.
    `can_retract`: the destination can take refunds."""
    if given:
        reason = "You gave it with --include."
        entries = [Entry(key, values, reason) for key, values in given.items()]
        return CountingRows(Proposal(tuple(entries)), _kept(sample, given))
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
    refunds = _find_refunds(sample, rows, filtered_by, can_retract=can_retract)
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
    return CountingRows(Proposal(tuple(entries)), rows, refunds.time)


def _find_refunds(
    sample: Sample, sales: Sequence[SampleRow], filtered_by: Iterable[int], *, can_retract: bool
) -> _Refunds:
    """Return the refunds. `filtered_by` are the columns by which the `sales` count."""
    found = {
        at: refunded
        for at, stages in _stages(sample)
        if (refunded := [each for each in stages if begins_with(each, _REFUNDED)])
    }
    if not found:
        return _Refunds()
    named = {sample.names[at]: values for at, values in found.items()}
    kinds = {
        at: kind_of_cells(sample.rows, at)
        for at in sample.free_columns()
        if begins_with(sample.names[at], _REFUNDED) and filled(sample.rows, at)
    }
    times = [at for at, kind in kinds.items() if kind == "date"]
    # An order that was refunded in part may keep the stage of a sale: only these columns tell.
    has_partial_stage = any(is_partial(each) for values in named.values() for each in values)
    tells_more = "amount" in kinds.values() and not has_partial_stage
    tells_more |= any(not is_nothing(row.cells[at]) for row in sales for at in kinds)
    if not can_retract:
        return _Refunds(named, why_not="the destination needs adjustments_via for them")
    if not times:
        return _Refunds(named, why_not="the file needs a column with the time of the refund")
    if tells_more:
        return _Refunds(
            named, why_not="orders that were refunded in part have no stage of their own"
        )
    if others := set(filtered_by) - found.keys():
        names = ", ".join(f'"{sample.names[at]}"' for at in sorted(others))
        return _Refunds(named, why_not=f"the filter on {names} would skip them")
    return _Refunds(named, times[0])


def _excluded(
    sample: Sample, excluded: tuple[int, list[str]] | None, refunds: _Refunds
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


def _kept(sample: Sample, given: Mapping[str, Mapping[str, Sequence[str]]]) -> Sequence[SampleRow]:
    """Apply a filter that a person gave. If its column does not exist, the check reports it."""
    rows = sample.rows
    conditions = [
        Condition(name, columns[0], "include" if key == "include" else "exclude", tuple(values))
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
    for at, values in _stages(sample):
        won = [value for value in values if stage_of(value) == "won"]
        if any(value.casefold() in _ON_HOLD for value in values):
            won += [value for value in values if value.casefold() == "processing"]
        if won and len(won) <= _MOST_VALUES:
            spellings = {value.casefold(): value for value in reversed(won)}
            found.append((at, sorted(spellings.values(), key=won.index)))
    # With one value that means won, the column is the CRM's own status, not a pipeline's stage.
    return sorted(found, key=lambda each: (len(each[1]), each[0]))


def _lost_stages(sample: Sample) -> tuple[int, list[str]] | None:
    for at, values in _stages(sample):
        lost = [value for value in values if stage_of(value) == "not_won"]
        if lost and len(lost) <= _MOST_VALUES and len(lost) < len(values):
            return at, lost
    return None


def _stages(sample: Sample) -> Iterator[tuple[int, list[str]]]:
    """Yield the columns of stages with their different values, the most frequent ones first."""
    for at in sample.free_columns():
        if is_stage_column(_LABEL.sub("", sample.names[at].casefold())):
            counts = Counter(filled(sample.rows, at))
            if counts and len(counts) <= _MOST_STAGES:
                yield at, [value for value, _ in counts.most_common()]


def _undone(
    sample: Sample, rows: Sequence[SampleRow], *, skips_refunds: bool
) -> Iterator[tuple[int, list[str], str]]:
    """Yield the columns with what was refunded or cancelled, the cells that they have in rows that
    count (empty or zero), and the reason. Columns of refunds are left out if refunds are sent."""
    both = ((_REFUNDED, ("amount", "date")), (_CANCELLED, ("date", "amount")))
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
