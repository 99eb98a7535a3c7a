"""The last steps of a chunk, after the rules of its columns: match, derive, deduplicate, assemble.

`lib.rules.engine` has the picture.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import compress
from operator import attrgetter, not_
from types import MappingProxyType
from typing import NamedTuple

from lib.catalogue.codes import lookup
from lib.model.outcomes import Outcome, Problem, RowOutcome
from lib.model.records import Adjustment, Call, Conversion, Record, is_derived_order_id
from lib.rules import times
from lib.rules.record_columns import RecordColumns
from lib.rules.repeats import find_repeats, repeat_of_rejected, repeat_problem
from lib.rules.row_problems import RowProblems
from lib.rules.row_rules import RowRules
from lib.rules.used_columns import exclusions_of
from lib.rules.values.order_ids import derived_order_id


class ValidatedChunk(NamedTuple):
    """The checked rows of a chunk. `lines` has the line of each of its `conversions`, then of its
    `adjustments`, then of its `calls`.

    `refused` contains the rows that are not sent, in file order. Some of them repeat another row of
    the chunk: `repeats` maps their lines to the line of that row. `has_user_data` is True if any
    row that could be sent has hashed user data. `placeholders` counts the placeholders by column.
    `follows_earlier_chunk` is True if an adjustment must not be applied before one of an earlier
    chunk.
    """

    conversions: list[Conversion]
    lines: list[int]
    refused: list[RowOutcome]
    repeats: dict[int, int]
    has_user_data: bool
    placeholders: Mapping[str, int] = MappingProxyType({})
    adjustments: Sequence[Adjustment] = ()
    calls: Sequence[Call] = ()
    follows_earlier_chunk: bool = False

    @property
    def records(self) -> Sequence[Record]:
        """All records, in the order of `lines`."""
        others: list[Record] = [*self.adjustments]
        others += self.calls
        return [*self.conversions, *others] if others else self.conversions

    def with_refunds(self, refunds: ValidatedChunk) -> ValidatedChunk:
        """Return the chunk with the adjustments among its rows. They have their own engine."""
        placeholders = Counter(self.placeholders)
        placeholders.update(refunds.placeholders)
        return self._replace(
            lines=self.lines + refunds.lines,
            refused=sorted(self.refused + refunds.refused, key=attrgetter("line")),
            repeats={**self.repeats, **refunds.repeats},
            has_user_data=self.has_user_data or refunds.has_user_data,
            placeholders=placeholders,
            adjustments=refunds.adjustments,
            follows_earlier_chunk=refunds.follows_earlier_chunk,
        )


class Originals(NamedTuple):
    """Conversions that were sent before, by the position of their row, and why others cannot be
    read."""

    conversions: Mapping[int, Conversion]
    errors: Mapping[int, Sequence[Problem]]


class Assembly:
    """Turns the columns of a chunk into its conversions and refused rows."""

    def __init__(self, columns: Mapping[str, int], rules: RowRules) -> None:
        self._rules = rules
        self._exclusions = list(exclusions_of(columns, rules.capabilities))

    def assemble(
        self,
        lines: list[int],
        table: RecordColumns,
        when: times.Times,
        problems: RowProblems,
        damaged: list[RowOutcome],
    ) -> ValidatedChunk:
        """Return the checked chunk. `damaged` are its rows that could not be read.

        Fills in the derived order IDs of `table`.
        """
        sendable = self._complete(table, when, problems)
        errors, warnings = problems.errors, problems.warnings
        repeats = find_repeats(
            table.keys_of(sendable, when.instants), lambda row: _has_own_order(table, row)
        )
        sendable = [row for row in sendable if row not in repeats]
        withheld: set[int] = set()
        if when.mismatch is not None and when.ambiguous:
            withheld = set(sendable).intersection(when.ambiguous)

        refused: dict[int, RowOutcome] = {}

        def refuse(row: int, outcome: Outcome, *reasons: Problem) -> None:
            refused[row] = RowOutcome(
                lines[row], outcome, table.order_id[row], reasons, tuple(warnings.get(row, ()))
            )

        for row, reasons in errors.items():
            refuse(row, outcome_of(reasons), *reasons)
        for row, repeat in repeats.items():
            first = repeat.first
            if first in withheld:
                refuse(row, "rejected", repeat_of_rejected(lines[first]))
            else:
                same_value = table.value[row] == table.value[first]
                reason = repeat_problem(repeat.by, lines[first], same_value=same_value)
                refuse(row, "duplicate", reason)
        if withheld and when.mismatch is not None:
            proof = times.ambiguous_order(lines[when.mismatch], self._rules.day_first)
            for row in withheld:
                refuse(row, "rejected", proof)
        accepted = [row for row in sendable if row not in withheld]
        emails, phones = table.hashed_emails, table.hashed_phones
        return ValidatedChunk(
            table.records(accepted, warnings),
            [lines[row] for row in accepted],
            sorted([*damaged, *refused.values()], key=attrgetter("line")),
            {lines[row]: lines[repeat.first] for row, repeat in repeats.items()},
            any(emails[row] or phones[row] for row in sendable),
        )

    def originals(
        self, lines: list[int], table: RecordColumns, when: times.Times, problems: RowProblems
    ) -> Originals:
        """Return all conversions, also repeated ones, with the order IDs that they were sent with.

        Fills in the derived order IDs of `table`.
        """
        order = times.CONVERSION_TIME
        times.refuse_ambiguous(when, lines, self._rules.day_first, problems, order)
        rows = self._complete(table, when, problems)
        found = zip(rows, table.records(rows, {}), strict=True)
        return Originals(dict(found), problems.errors)

    def _complete(
        self, table: RecordColumns, when: times.Times, problems: RowProblems
    ) -> list[int]:
        """Reject rows that no destination could count, and derive the order IDs of the others.

        Returns the rows that can be sent.
        """
        self._check_exclusions(table, problems)
        self._match(table, problems)
        errors = problems.errors
        sendable = [row for row in range(len(table.time)) if row not in errors]
        if self._rules.derive_order_id:
            self._derive_order_ids(sendable, table, when.instants)
        return sendable

    def _check_exclusions(self, table: RecordColumns, problems: RowProblems) -> None:
        """Reject rows with values that the API refuses together."""
        for exclusion, column in self._exclusions:
            for row in table.rows_with_both(exclusion):
                problems.reject(row, exclusion.code, column)

    def _match(self, table: RecordColumns, problems: RowProblems) -> None:
        """Reject rows that identify neither a click nor a person."""
        identifying = [table.column(name) for name in self._rules.capabilities.identifying]
        identified = map(any, zip(*identifying, strict=True))
        for row in compress(range(len(table.time)), map(not_, identified)):
            problems.reject(row, "NO_CLICK_ID_OR_IDENTIFIER")

    def _derive_order_ids(
        self, rows: Iterable[int], table: RecordColumns, instants: Sequence[int]
    ) -> None:
        """Derive order IDs for rows that Google could not recognize in a resend.

        They have neither an order ID nor a gclid: for a gbraid or wbraid, Google does not document
        that it recognizes a click with its time.
        """
        orders, gclids, braids = table.order_id, table.gclid, table.braids()
        unrecognized = [row for row in rows if orders[row] is None and not gclids[row]]
        if any(braids):
            excluded = self._without_order_id(table)
            unrecognized = [row for row in unrecognized if row not in excluded]
        for row in unrecognized:
            # As for a gclid, another value does not make another conversion of a click.
            value = None if braids[row] else table.value[row]
            identity = (braids[row],) if braids[row] else _person(table, row)
            orders[row] = derived_order_id(table.action_id[row], instants[row], value, identity)

    def _without_order_id(self, table: RecordColumns) -> set[int]:
        """Return the rows with values that the API refuses beside an order ID."""
        return {
            row
            for exclusion, _ in self._exclusions
            if "order_id" in exclusion.beside
            for row in table.rows_with(exclusion.values)
        }


def _has_own_order(table: RecordColumns, row: int) -> bool:
    """Return whether a row is another conversion than rows with its click and another order."""
    order_id = table.order_id[row]
    return order_id is not None and not is_derived_order_id(order_id)


def _person(table: RecordColumns, row: int) -> tuple[str, ...]:
    """Return what identifies the person of a row: the first hashed identifier, if there is one."""
    person = (table.hashed_emails[row] or table.hashed_phones[row])[:1]
    optional = table.optional_fields[row]
    return optional.identity() if not person and optional is not None else person


def outcome_of(errors: Sequence[Problem]) -> Outcome:
    """Return `not_attempted` if only the account is at fault. Otherwise, the row is rejected."""
    outcomes = {lookup(error.code).outcome for error in errors}
    return "not_attempted" if outcomes == {"not_attempted"} else "rejected"
