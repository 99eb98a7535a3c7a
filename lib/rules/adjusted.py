"""The conversion that an adjustment is about: how the row names it, when it happened, its data.

Google knows a conversion by its order ID, if it has one, and otherwise by its gclid and time. A
conversion without both was sent with an order ID that was derived from its row. A refund in the
same row of a later export derives the same order ID: from the conversion action, the time and the
value *of the sale*, and the person or click. So these cells must be as they were: the new value
belongs in a column of its own (`adjusted_value`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import NamedTuple

from lib.model.capabilities import KindCapabilities
from lib.model.outcomes import Problem
from lib.model.records import Conversion
from lib.rules import times
from lib.rules.assembly import Originals
from lib.rules.chunk_cells import ChunkCells
from lib.rules.click_ids import read_click_ids
from lib.rules.conversion_actions import NO_ACTION, ActionRule
from lib.rules.engine import Engine
from lib.rules.row_problems import RowProblems
from lib.rules.row_rules import RowRules
from lib.rules.values.conversion_clock import ConversionClock

_UNIDENTIFIED = "NO_CLICK_ID_OR_IDENTIFIER"


class AdjustedRows(NamedTuple):
    """The rows of a chunk, with what is known about them. `cells` are those of each row, `orders`
    their own order IDs, `zones` the time zones that they give."""

    lines: list[int]
    cells: list[list[str]]
    chunk: ChunkCells
    zones: Sequence[tzinfo | None]
    actions: Sequence[ActionRule]
    orders: Sequence[str | None]


class Named(NamedTuple):
    """The adjusted conversion, as in `Adjustment`. `instant` is its time (0: not known)."""

    order_id: str | None = None
    gclid: str = ""
    conversion_time: str = ""
    instant: int = 0
    is_too_old: bool = False
    original: Conversion | None = None


class Naming:
    """Names the adjusted conversions of one file (`AdjustmentEngine` has the parameters)."""

    def __init__(
        self, columns: Mapping[str, int], rules: RowRules, sales: Engine, are_refunds: bool
    ) -> None:
        can = rules.capabilities.of_kind("adjustment")
        assert can is not None
        self._can: KindCapabilities = can
        self._rules = rules
        self._sales = sales
        # Without a column of values, the order IDs of conversions that have one cannot be derived.
        has_values = are_refunds or "conversion_value" in columns
        self._derives = rules.derive_order_id and has_values
        self._clock = ConversionClock(rules.now, rules.zone, rules.day_first)

    def name(self, rows: AdjustedRows, problems: RowProblems) -> list[Named]:
        """Return the adjusted conversion of each row. Reject rows that name none."""
        when, about_times = self._conversion_times(rows)
        unnamed = [row for row, order in enumerate(rows.orders) if order is None]
        gclids = self._gclids(rows, problems)
        with_original = self._can.restates_with_original
        derived = [row for row in unnamed if self._derives and not gclids[row]]
        read = self._originals(rows, range(len(rows.lines)) if with_original else derived)
        found = []
        for row, order in enumerate(rows.orders):
            if row in problems.errors:
                found.append(Named(order))
                continue
            if with_original:
                named = self._with_original(row, order, read, problems)
            elif order is not None:
                named = Named(self._as_sent(order))
            elif rows.actions[row].needs_order_id:
                problems.reject(row, "ACTION_NEEDS_ORDER_ID", "order_id")
                named = Named()
            elif gclids[row]:
                problems.errors[row] += about_times.errors.get(row, ())
                problems.warnings[row] += about_times.warnings.get(row, ())
                named = Named(None, gclids[row], when.texts[row])
            else:
                named = self._derived(row, read, problems)
            too_old = any(each.code == "TOO_OLD" for each in about_times.errors.get(row, ()))
            found.append(named._replace(instant=when.instants[row], is_too_old=too_old))
        for row in [row for row, each in problems.errors.items() if not each]:
            del problems.errors[row]
        return found

    def check_times(
        self, named: Sequence[Named], adjusted: Sequence[int], problems: RowProblems
    ) -> None:
        """Reject adjustments before their conversion, and those that come too late."""
        now, limit = int(self._rules.now.timestamp()), self._can.adjustable_for
        for row, (each, instant) in enumerate(zip(named, adjusted, strict=True)):
            if row in problems.errors:
                continue
            if each.instant and instant < each.instant:
                problems.reject(row, "ADJUSTED_BEFORE_CONVERSION", "adjustment_date_time")
            elif limit is not None and (
                each.is_too_old or (each.instant and now - each.instant > limit.total_seconds())
            ):
                problems.reject(row, "ADJUSTED_TOO_LATE", "conversion_date_time")

    def _conversion_times(self, rows: AdjustedRows) -> tuple[times.Times, RowProblems]:
        """Return the times of the conversions, and their problems, which do not always matter."""
        problems = RowProblems(set())
        cells = times.with_times_of_day(rows.chunk, problems)
        any_action = [NO_ACTION] * len(cells)
        when = times.read_times(cells, rows.zones, any_action, self._clock, problems)
        order = times.CONVERSION_TIME
        times.refuse_ambiguous(when, rows.lines, self._rules.day_first, problems, order)
        return when, problems

    def _gclids(self, rows: AdjustedRows, problems: RowProblems) -> list[str]:
        """Return the gclid of each row without an order ID of its own: Google refuses both."""
        pairs = zip(rows.chunk.column("gclid"), rows.orders, strict=True)
        cells = [cell if order is None else "" for cell, order in pairs]
        return read_click_ids(cells, "gclid", problems)

    def _originals(self, rows: AdjustedRows, wanted: Sequence[int]) -> Originals:
        """Read the wanted rows as the conversions that were sent before."""
        if not wanted:
            return Originals({}, {})
        lines, cells = [rows.lines[row] for row in wanted], [rows.cells[row] for row in wanted]
        read = self._sales.originals(lines, cells)
        return Originals(
            {wanted[at]: each for at, each in read.conversions.items()},
            {wanted[at]: each for at, each in read.errors.items()},
        )

    def _with_original(
        self, row: int, order: str | None, read: Originals, problems: RowProblems
    ) -> Named:
        """Return the conversion with all of its data.

        It needs an order ID of its own: if a derived one differed from that of the sale, the
        restatement would count as a new conversion.
        """
        if order is None:
            problems.reject(row, "ADJUSTMENT_NEEDS_ORDER_ID", "order_id")
        elif row not in read.conversions:
            problems.reject(row, "ADJUSTMENT_NEEDS_ORIGINAL")
            problems.errors[row] += [e for e in read.errors[row] if e.code != _UNIDENTIFIED]
        return Named(order, original=read.conversions.get(row))

    def _derived(self, row: int, read: Originals, problems: RowProblems) -> Named:
        """Return the conversion by the order ID that was derived for it, or reject the row."""
        conversion = read.conversions.get(row)
        if conversion is not None and conversion.order_id is not None:
            return Named(self._as_sent(conversion.order_id))
        reasons = [each for each in read.errors.get(row, ()) if each.code != _UNIDENTIFIED]
        problems.errors[row] += reasons or [Problem("ADJUSTS_NO_CONVERSION", "order_id")]
        return Named()

    def _as_sent(self, order_id: str) -> str:
        """Return the order ID as the destination of the conversions has sent it."""
        return self._rules.sent_order_id(order_id)
