"""What the rules make of a chunk → records, and the outcomes of the rows that are not sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import compress
from operator import attrgetter, not_
from typing import Any, NamedTuple, TypeVar

from lib.catalogue.codes import lookup
from lib.model.money import Amounts, micros_of
from lib.model.outcomes import Outcome, Problem, RowOutcome
from lib.model.records import Adjustment, Record
from lib.rules.columns import ChunkColumns

R = TypeVar("R", bound=Record)

Columns = Mapping[str, Sequence[Any]]
"""Attribute of a record → its values, one for each row of the chunk."""


class Unsent(NamedTuple):
    """Why a row without an error is not sent. `first` is the row that it repeats, if it does."""

    outcome: Outcome
    reason: Problem
    first: int | None = None


class CheckedRows(NamedTuple):
    """What the rules of one kind of record make of a chunk. Its `problems` have the errors.

    `columns` has every attribute of the record but its warnings. `unsent` are rows that are not
    sent although they have no error. `has_user_data` is True if any row that can be sent has hashed
    user data.
    """

    columns: Columns
    unsent: Mapping[int, Unsent]
    has_user_data: bool = False


class ValidatedChunk(NamedTuple):
    """The validated rows of a chunk: the records that can be sent, and the line of each.

    `refused` contains the rows that are not sent. Some of them repeat another row of
    the chunk: `repeats` maps their lines to the line of that row. `placeholders` counts the
    placeholders by column. `values` are those of the records; an adjustment has none: it changes an
    earlier one. The rest is as in `CheckedRows`.
    """

    records: Sequence[Record]
    lines: list[int]
    refused: list[RowOutcome]
    repeats: dict[int, int]
    has_user_data: bool
    placeholders: Mapping[str, int]
    values: Amounts


def assemble(
    chunk: ChunkColumns, record: type[Record], checked: CheckedRows, damaged: Iterable[RowOutcome]
) -> ValidatedChunk:
    """Return the records and the refused rows. `damaged` are those that could not be read."""
    lines, columns, unsent = chunk.lines, checked.columns, checked.unsent
    errors, warnings = chunk.problems.errors, chunk.problems.warnings
    orders = columns.get("order_id", [None] * chunk.size)
    refused = list(damaged)
    values, currencies = _values_of(chunk, columns) if record is not Adjustment else ((), ())

    def refuse(row: int, outcome: Outcome, reasons: Sequence[Problem]) -> None:
        value, currency = (values[row], currencies[row]) if values else (None, None)
        refused.append(
            RowOutcome(
                lines[row],
                outcome,
                order_id=orders[row],
                errors=tuple(reasons),
                warnings=tuple(warnings.get(row, ())),
                micros=None if value is None else micros_of(value),
                currency="" if value is None else currency or "",
                corrects=record is Adjustment,
            )
        )

    for row, reasons in errors.items():
        refuse(row, _outcome_of_errors(reasons), reasons)
    for row, (outcome, reason, _) in unsent.items():
        refuse(row, outcome, [reason])
    is_accepted = chunk.accepted(unsent)
    return ValidatedChunk(
        records=records_of(record, columns, is_accepted, warnings),
        lines=[*compress(lines, is_accepted)],
        refused=sorted(refused, key=attrgetter("line")),
        repeats={lines[n]: lines[u.first] for n, u in unsent.items() if u.first is not None},
        has_user_data=checked.has_user_data,
        placeholders=chunk.count_placeholders(),
        values=Amounts.of(compress(values, is_accepted), [*compress(currencies, is_accepted)]),
    )


def _values_of(
    chunk: ChunkColumns, columns: Columns
) -> tuple[Sequence[float | None], Sequence[str | None]]:
    """Return the value and currency of each row. A value without one is in the account's."""
    values, currencies = columns["value"], columns["currency_code"]
    of_account = chunk.file.rules.account.currency_code
    without_currency = compress(values, map(not_, currencies))
    if any(value is not None for value in without_currency):
        currencies = [
            currency or (None if value is None else of_account)
            for value, currency in zip(values, currencies, strict=True)
        ]
    return values, currencies


def records_of(
    record: type[R],
    columns: Columns,
    is_wanted: bytearray,
    warnings: Mapping[int, Sequence[Problem]],
) -> list[R]:
    """Return the records of the wanted rows. `is_wanted` has 1 or 0 for each row."""
    of_rows: list[tuple[Problem, ...]] = [()] * len(is_wanted)
    for row, problems in warnings.items():
        of_rows[row] = tuple(problems)
    *names, last = record._fields
    assert last == "warnings"
    attributes = zip(*map(columns.__getitem__, names), of_rows, strict=True)
    # Takes a third of the time of Conversion(...).
    make: Callable[..., R] = tuple.__new__
    return [make(record, each) for each in compress(attributes, is_wanted)]


def _outcome_of_errors(errors: Sequence[Problem]) -> Outcome:
    """Return `not_attempted` if only the account is at fault. Otherwise, the row is rejected."""
    outcomes = {lookup(error.code).outcome for error in errors}
    return "not_attempted" if outcomes == {"not_attempted"} else "rejected"
