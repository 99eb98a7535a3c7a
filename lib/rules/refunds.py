"""The rows of a sales file that the profile calls refunds: what type of adjustment each of them is.

new total above 0         ──▶ restatement
none, order refunded      ──▶ retraction, which is final
none, refunded in part    ──▶ rejected: a retraction would take back the whole order
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lib.model.records import AdjustmentType
from lib.rules import amounts
from lib.rules.chunk_cells import ChunkCells
from lib.rules.row_problems import RowProblems
from lib.rules.stages import is_partial

_VALUE: Final = "adjusted_value"
_CURRENCY: Final = "adjusted_value_currency"


@dataclass(frozen=True, slots=True)
class Refunds:
    """The refunds of one file. `columns` are those by which the profile recognizes them.
    `names_value`: the profile names the column of their new values."""

    columns: Sequence[int] = ()
    names_value: bool = False

    def types(
        self, rows: Sequence[Sequence[str]], values: Sequence[float | None], problems: RowProblems
    ) -> list[AdjustmentType]:
        """Return the type of each adjustment. Reject partial refunds without a new value."""
        for row, (cells, value) in enumerate(zip(rows, values, strict=True)):
            if value or row in problems.errors:
                continue
            if any(is_partial(cells[column]) for column in self.columns):
                problems.reject(row, "PARTIAL_REFUND_WITHOUT_VALUE", _VALUE)
        return ["restatement" if value else "retraction" for value in values]

    def compare_with_sales(
        self,
        chunk: ChunkCells,
        values: Sequence[float | None],
        currencies: Sequence[str | None],
        decimal_comma: bool,
        problems: RowProblems,
    ) -> None:
        """Warn of new values that are not below that of the sale: they may be something else."""
        sold, _ = amounts.read_amounts(
            chunk.column("conversion_value"), currencies, decimal_comma, RowProblems(set())
        )
        own, of_row = chunk.column(_CURRENCY), chunk.column("currency_code")
        for row, (value, before) in enumerate(zip(values, sold, strict=True)):
            if not value or before is None or value < before or row in problems.errors:
                continue
            if not own[row].strip() or own[row] == of_row[row]:
                problems.warn(row, "NEW_VALUE_NOT_LOWER", _VALUE)
