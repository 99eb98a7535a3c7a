"""The form of a file's order IDs: 1001, or 1001.0.

Programs such as pandas write whole numbers with `.0` if any cell of the column is empty. For
Google, 1001 and 1001.0 are two orders, so an order of Monday's file would count again on Tuesday.
The form is decided once for each file, from its first chunk, unless the profile decides it
(`order_ids`). The claim keeps the decision, because later chunks and later attempts depend on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from lib.model.outcomes import Problem
from lib.model.records import Row
from lib.rules.plain_text import plain_text
from lib.rules.row_rules import RowRules

_WITH_ZERO: Final = re.compile(r"(\d+)\.0", re.ASCII)


class OrderIdForm:
    """Reads the order IDs of one file.

    `column` is the index of their column, if there is one.
    """

    def __init__(self, column: int | None, rules: RowRules) -> None:
        self._column = column
        self._is_automatic = rules.order_ids is None
        decided = self._is_automatic and rules.integer_order_ids
        self._is_integer = decided or rules.order_ids == "integer"
        self._has_kept_any = False
        self._has_shortened_any = False

    def prefer_integers(self) -> None:
        """Read `1001.0` as 1001 in any file, unless the profile decides otherwise.

        For files of adjustments: that is how nearly every file of sales has sent the order.
        """
        self._is_integer = self._is_integer or self._is_automatic

    def decide(self, first_rows: Sequence[Row]) -> bool:
        """Return whether the order IDs of the first chunk all end with `.0`, and are now sent
        without it. False if this was decided before."""
        if self._is_integer or not self._is_automatic:
            return False
        for order_id in self._order_ids(first_rows):
            self._is_integer = _WITH_ZERO.fullmatch(order_id) is not None
            if not self._is_integer:
                break
        return self._is_integer

    def read(self, order_id: str) -> str:
        """Return the order ID in the form of the file."""
        number = _WITH_ZERO.fullmatch(order_id)
        if number is None:
            return order_id
        if self._is_integer:
            self._has_shortened_any = True
            return number[1]
        self._has_kept_any = True
        return order_id

    def replay(self, rows: Sequence[Row]) -> None:
        """Look at rows that an earlier attempt has sent: the notes are about them too."""
        for order_id in self._order_ids(rows):
            self.read(order_id)

    def _order_ids(self, rows: Sequence[Row]) -> Iterator[str]:
        at = self._column
        if at is not None:
            cells = (cells[at] for _, cells, problem, _ in rows if not problem)
            yield from filter(None, (plain_text(cell, "order_id", set()) for cell in cells))

    def notes(self) -> list[Problem]:
        """Return the notes on the form, after the rows have been read."""
        if self._is_automatic and self._has_shortened_any:
            return [Problem("ORDER_IDS_AS_INTEGERS", "order_id")]
        if self._is_automatic and self._has_kept_any:
            return [Problem("ORDER_IDS_IN_TWO_FORMS", "order_id")]
        return []
