"""Repeats: a row with the same conversion as an earlier row of its chunk is not sent.

A row is a repeat only if Google would count both rows once: same click ID, time and action, or same
order ID and action. Two rows with different order IDs of their own are two conversions, even of one
click and time: Google decides about them. Between chunks, Google detects repeats, which keeps
memory use small.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

from lib.model.outcomes import Problem

Key = tuple[int, str, int, str, str | None]
"""(row, click ID, instant, action, order ID): Google recognizes a conversion by these values. The
instant is compared, not its text, because two offsets can describe the same moment."""


class Repeat(NamedTuple):
    """Which row a row repeats, and by which of its values."""

    first: int
    by: Literal["click", "order"]


def find_repeats(keys: Iterable[Key], has_own_order: Callable[[int], bool]) -> dict[int, Repeat]:
    """Return the repeats by row. `keys` are those of the rows that could be sent.

    `has_own_order` returns whether the order ID of a row distinguishes conversions of one click. A
    derived order ID does not.
    """
    by_click: dict[tuple[str, int, str], int] = {}
    by_order: dict[tuple[str, str], int] = {}
    repeats: dict[int, Repeat] = {}
    for row, click_id, instant, action_id, order_id in keys:
        click = (click_id, instant, action_id)
        if click_id:
            first = by_click.setdefault(click, row)
            # Rows without an own order ID are not sent after the first row of a click. So the first
            # one shows whether another order is already there.
            if first != row and not (has_own_order(first) and has_own_order(row)):
                repeats[row] = Repeat(first, "click")
                continue
        if order_id is not None:
            first = by_order.setdefault((order_id, action_id), row)
            if first != row:
                repeats[row] = Repeat(first, "order")
                if click_id and by_click[click] == row:
                    # This row is not sent, so a later row with its click does not repeat it.
                    del by_click[click]
    return repeats


_SAME = {
    "click": "the same click ID, time and conversion action",
    "order": "the same order ID and conversion action",
    "call": "the same call, time and conversion action",
}


def repeat_problem(
    by: Literal["click", "order", "call"], line: int, *, same_value: bool
) -> Problem:
    """Return the problem of a row that repeats `line`, with the same value or another one."""
    detail = f"{_SAME[by]} as in line {line}"
    if same_value:
        return Problem("REPEATED_LINE", "", detail)
    return Problem("REPEATED_WITH_OTHER_VALUE", "", f"{detail}, with another value")


def repeat_of_rejected(line: int) -> Problem:
    """Return the problem of a row that repeats `line`, which was rejected."""
    detail = f"line {line}, which this row repeats, was refused, so this row was not sent either"
    return Problem("REPEATED_REFUSED_LINE", "", detail)
