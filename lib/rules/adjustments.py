"""The engine for adjustments: the rows of a chunk → `Adjustment` records. Each file has its own.

    columns ──▶ action, order ID, type, time, new value: one rule after another
            ──▶ name:     by order ID, or else by gclid and conversion time (`lib.rules.adjusted`)
            ──▶ original: the conversion itself, if the destination needs it
            ──▶ choose:   one adjustment per conversion                    (`lib.rules.superseded`)

Rows of Google's template say what they are. In a file of sales, the profile says which rows are
refunds (`lib.rules.refunds`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from operator import attrgetter
from typing import Final

from lib.model.outcomes import Problem, RowOutcome
from lib.model.records import Adjustment, AdjustmentType, Row
from lib.rules import amounts, times
from lib.rules.adjusted import AdjustedRows, Named, Naming
from lib.rules.adjustment_times import read_adjustment_times
from lib.rules.amounts import AmountColumns
from lib.rules.assembly import ValidatedChunk, outcome_of
from lib.rules.chunk_cells import ChunkCells
from lib.rules.conversion_actions import ActionRule, read_actions, resolve_action
from lib.rules.engine import Engine
from lib.rules.order_ids import read_order_ids
from lib.rules.plain_text import count_placeholders, plain_text
from lib.rules.refunds import Refunds
from lib.rules.row_problems import RowProblems, separate_damaged
from lib.rules.row_rules import RowRules
from lib.rules.superseded import Candidate, Superseding, Winners
from lib.rules.times import TimeColumn, Times
from lib.rules.used_columns import is_sent
from lib.rules.values.cells import Memo
from lib.rules.values.conversion_clock import ConversionClock

ADJUSTMENT_FIELDS: Final = frozenset(
    {"adjustment_type", "adjustment_date_time", "adjusted_value", "adjusted_value_currency"}
)
"""The fields with a rule in this module."""

_TIME: Final = TimeColumn("adjustment_date_time", "ADJUSTMENT_TIME_MISSING")
_VALUE: Final = AmountColumns("adjusted_value", "adjusted_value_currency")
_NO_COLUMN: Final = "the profile names its column, and the file has no such column"
_TYPES: Final[Mapping[str, AdjustmentType]] = {
    "RETRACT": "retraction",
    "RETRACTION": "retraction",
    "RESTATE": "restatement",
    "RESTATEMENT": "restatement",
}


class AdjustmentEngine:
    """Checks the adjustments in the chunks of one file.

    `rules` are those of the destination that gets the adjustments. `sales` is the engine of the
    conversions in the same file, for the destination that gets conversions. `refunds` is set if
    the rows are those that the profile calls refunds.
    """

    def __init__(
        self,
        columns: Mapping[str, int],
        rules: RowRules,
        sales: Engine,
        refunds: Refunds | None,
    ) -> None:
        can = rules.capabilities.of_kind("adjustment")
        assert can is not None  # `lib.run.kinds` refuses other files
        self._can = can
        self._rules = rules
        self._refunds = refunds
        # Without the named column, every partial refund would become a retraction, which is final.
        names_value = refunds is not None and refunds.names_value
        self._lacks_values = names_value and _VALUE.value not in columns
        sent = ADJUSTMENT_FIELDS.union(can.fields)
        own = {name: at for name, at in columns.items() if is_sent(name, sent)}
        self.columns = {**sales.columns, **own}
        self.order_id_form = sales.order_id_form
        if refunds is None:
            self.order_id_form.prefer_integers()
        self._sales = sales
        self._naming = Naming(self.columns, rules, sales, refunds is not None)
        self._superseding = Superseding()
        zone = rules.column_zones.get(_TIME.field, rules.zone)
        self._clock = ConversionClock(rules.now, zone, rules.day_first)
        self._with_placeholders = placeholders = set[str]()
        self._actions: Memo[ActionRule | Problem] = Memo(
            lambda customer, action: resolve_action(customer, action, rules, placeholders)
        )
        self._currencies = Memo(self._currency_of)
        self._zones = Memo(lambda cell: times.zone_of(cell, placeholders))

    def validate(self, rows: Sequence[Row]) -> ValidatedChunk:
        """Check the adjustments of a chunk.

        Raises the error of `RowRules.account` if the rows name too many accounts.
        """
        lines, cells, damaged = separate_damaged(rows)
        chunk = ChunkCells(self.columns, cells)
        problems = RowProblems(self._with_placeholders)

        actions = self._read_actions(chunk, problems)
        zones = chunk.looked_up("time_zone", self._zones)
        when = self._read_times(chunk, zones, lines, problems)
        values, currencies = self._read_values(chunk, problems)
        if self._refunds is None:
            types = self._read_types(chunk, problems)
        else:
            types = self._refunds.types(cells, values, problems)
            comma = self._rules.decimal_comma
            self._refunds.compare_with_sales(chunk, values, currencies, comma, problems)
        self._check_values(types, values, actions, problems)
        orders = read_order_ids(
            chunk.column("order_id"),
            [cells for name, cells in chunk.all_columns() if name.startswith("phone")],
            self.order_id_form,
            problems,
        )
        given = AdjustedRows(lines, cells, chunk, zones, actions, orders)
        named = self._naming.name(given, problems)
        self._naming.check_times(named, when.instants, problems)
        adjustments = [
            _adjustment(action, kind, time, each, value, currency)
            for action, kind, time, each, value, currency in zip(
                actions, types, when.texts, named, values, currencies, strict=True
            )
        ]
        counts = count_placeholders(chunk.all_columns(), self._with_placeholders)
        return self._assemble(lines, adjustments, when, problems, damaged)._replace(
            placeholders=counts
        )

    def replay(self, rows: Sequence[Row]) -> None:
        """Remember the adjustments that an earlier attempt has sent: they may supersede others."""
        self.validate(rows)

    # ── the rules, column by column ──────────────────────────────────────────────────────────

    def _read_actions(self, chunk: ChunkCells, problems: RowProblems) -> list[ActionRule]:
        cells = zip(chunk.column("customer_id"), chunk.column("conversion_action"), strict=True)
        return read_actions(list(cells), self._actions, problems)

    def _read_times(
        self,
        chunk: ChunkCells,
        zones: Sequence[tzinfo | None],
        lines: list[int],
        problems: RowProblems,
    ) -> Times:
        """Return the time of each adjustment, which is always the file's: Google recognizes an
        adjustment by it."""
        cells, now = chunk.column(_TIME.field), self._rules.now
        when = read_adjustment_times(cells, zones, self._clock, now, problems, _TIME)
        times.refuse_ambiguous(when, lines, self._rules.day_first, problems, _TIME)
        return when

    def _read_values(
        self, chunk: ChunkCells, problems: RowProblems
    ) -> tuple[list[float | None], list[str | None]]:
        found = zip(chunk.column(_VALUE.currency), chunk.column("currency_code"), strict=True)
        given = [self._currencies[cells] for cells in found]
        comma = self._rules.decimal_comma
        values, currencies = amounts.read_amounts(
            chunk.column(_VALUE.value), given, comma, problems, _VALUE
        )
        amounts.refuse_other_currencies(currencies, self._rules.column_currency, problems, _VALUE)
        if self._lacks_values:
            for row in range(chunk.size):
                problems.reject(row, "ADJUSTED_VALUE_MISSING", _VALUE.value, _NO_COLUMN)
        return values, currencies

    def _currency_of(self, own: str, of_row: str) -> str | None:
        """Return the currency of the new value, else that of the row, else the default."""
        default = self._rules.column_currency or self._rules.currency_code
        placeholders = self._with_placeholders
        row = amounts.currency_of(of_row, default, placeholders)
        return amounts.currency_of(own, row, placeholders, _VALUE.currency)

    def _read_types(self, chunk: ChunkCells, problems: RowProblems) -> list[AdjustmentType]:
        types: list[AdjustmentType] = []
        for row, cell in enumerate(chunk.column("adjustment_type")):
            text = plain_text(cell, "adjustment_type", problems.with_placeholders) or ""
            found = _TYPES.get(text.upper())
            if found is None:
                code = "INVALID_ADJUSTMENT_TYPE" if text else "ADJUSTMENT_TYPE_MISSING"
                problems.reject(row, code, "adjustment_type")
            types.append(found or "retraction")
        return types

    def _check_values(
        self,
        types: Sequence[AdjustmentType],
        values: list[float | None],
        actions: Sequence[ActionRule],
        problems: RowProblems,
    ) -> None:
        """Reject what the destination cannot do, and values that contradict their type."""
        for row, (kind, value) in enumerate(zip(types, values, strict=True)):
            if row in problems.errors:
                continue
            if kind not in self._can.adjustment_types:
                problems.reject(row, "RETRACTION_NOT_SENT")
            elif kind == "retraction":
                if value:
                    problems.reject(row, "RETRACTION_WITH_VALUE", _VALUE.value)
                values[row] = None
            elif value is None:
                problems.reject(row, "ADJUSTED_VALUE_MISSING", _VALUE.value)
            elif actions[row].always_uses_default_value:
                problems.reject(row, "ACTION_USES_DEFAULT_VALUE", "conversion_action")
            elif value == 0:
                problems.warn(row, "RESTATED_TO_ZERO", _VALUE.value)

    # ── the records ──────────────────────────────────────────────────────────────────────────

    def _assemble(
        self,
        lines: Sequence[int],
        adjustments: Sequence[Adjustment],
        when: Times,
        problems: RowProblems,
        damaged: Iterable[RowOutcome],
    ) -> ValidatedChunk:
        errors, warnings = problems.errors, problems.warnings
        refused = list(damaged)
        candidates = []
        for row, adjustment in enumerate(adjustments):
            of_row = tuple(warnings.get(row, ()))
            if row in errors:
                reasons = tuple(errors[row])
                order = adjustment.order_id
                refused.append(RowOutcome(lines[row], outcome_of(reasons), order, reasons, of_row))
            else:
                sent = adjustment._replace(warnings=of_row)
                candidates.append(Candidate(lines[row], when.instants[row], sent))
        winners = self._superseding.choose(candidates)
        refused += _refused(winners)
        return ValidatedChunk(
            [],
            [each.line for each in winners.sent],
            sorted(refused, key=attrgetter("line")),
            {each.candidate.line: each.first for each in winners.losers if each.first},
            any(_has_user_data(each.adjustment) for each in winners.sent),
            adjustments=[each.adjustment for each in winners.sent],
            follows_earlier_chunk=winners.follows_earlier_chunk,
        )


def _adjustment(
    action: ActionRule,
    adjustment_type: AdjustmentType,
    time: str,
    named: Named,
    value: float | None,
    currency_code: str | None,
) -> Adjustment:
    original = named.original
    if original is not None:
        original = original._replace(value=value, currency_code=currency_code)
    return Adjustment(
        action.customer_id,
        action.action_id,
        adjustment_type,
        time,
        named.order_id,
        named.gclid,
        named.conversion_time,
        value,
        None if value is None else currency_code,
        original,
        (),
    )


def _refused(winners: Winners) -> Iterable[RowOutcome]:
    """Return the outcomes of the adjustments that are not sent."""
    for candidate, outcome, reason, _ in winners.losers:
        adjustment = candidate.adjustment
        yield RowOutcome(
            candidate.line, outcome, adjustment.order_id, (reason,), adjustment.warnings
        )


def _has_user_data(adjustment: Adjustment) -> bool:
    original = adjustment.original
    return original is not None and bool(original.hashed_emails or original.hashed_phones)
