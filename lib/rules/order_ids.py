"""Order IDs: the order ID column → the order ID of each row."""

from __future__ import annotations

from collections.abc import Sequence

from lib.rules.order_id_form import OrderIdForm
from lib.rules.plain_text import plain_text
from lib.rules.row_problems import RowProblems
from lib.rules.values.cells import RuleError
from lib.rules.values.order_ids import check_order_id, is_plain_order_id


def read_order_ids(
    cells: Sequence[str],
    phone_columns: Sequence[Sequence[str]],
    form: OrderIdForm,
    problems: RowProblems,
) -> list[str | None]:
    """Return the order ID of each row, or None.

    Google refuses personal data in order IDs, so each one is also compared with the phone numbers
    of its row.
    """
    order_ids: list[str | None] = [None] * len(cells)
    for row, cell in enumerate(cells):
        if not cell:
            continue
        if is_plain_order_id(cell):
            order_ids[row] = cell
            continue
        text = plain_text(cell, "order_id", problems.with_placeholders)
        if text:
            text = plain_text(form.read(text), "order_id", problems.with_placeholders)
        if text:
            try:
                phones = [column[row] for column in phone_columns]
                order_ids[row] = check_order_id(text, phones)
            except RuleError as error:
                problems.reject(row, error.code, "order_id")
    return order_ids
