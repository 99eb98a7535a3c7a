"""Duplicate conversions: within a request, or of a conversion that was accepted earlier.

Two keys identify a conversion: click ID, time and action; order ID and action.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Literal

from sandbox.ads_errors import Problem
from sandbox.ads_rules import Judged

_UPLOAD = "conversion_upload_error."


def repeats_in_request(judged: Sequence[Judged], refused: Literal["all", "later"]) -> list[Problem]:
    """Rows that share a key with another row of the request: all of them, or all but the first."""
    return [
        *_repeats(
            [one.click_key for one in judged],
            refused,
            _UPLOAD + "DUPLICATE_CLICK_CONVERSION_IN_REQUEST",
            "Multiple events have the same click and conversion_date_time.",
        ),
        *_repeats(
            [one.order_key for one in judged],
            refused,
            _UPLOAD + "DUPLICATE_ORDER_ID",
            "Imported events include multiple conversions with the same order ID.",
        ),
    ]


def _repeats(keys: list[Any], refused: str, code: str, text: str) -> list[Problem]:
    counts = Counter(key for key in keys if key is not None)
    problems: list[Problem] = []
    seen: set[Any] = set()
    for index, key in enumerate(keys):
        if key is None or counts[key] < 2:
            continue
        if key in seen or refused == "all":
            problems.append(Problem(code, text, (("conversions", index),)))
        seen.add(key)
    return problems


def known_already(
    judged: Sequence[Judged],
    click_keys: AbstractSet[tuple[str, int, float]],
    order_keys: AbstractSet[tuple[str, int]],
    named: Literal["both", "click"],
) -> list[Problem]:
    """Rows whose key was accepted earlier, whatever their other fields contain.

    A row with a known click and a known order ID has two problems, or only that of its click.
    """
    problems: list[Problem] = []
    for index, one in enumerate(judged):
        if one.click_key is not None and one.click_key in click_keys:
            code = _UPLOAD + "CLICK_CONVERSION_ALREADY_EXISTS"
            text = "The event has the same click and conversion_date_time as an existing one."
            problems.append(Problem(code, text, (("conversions", index),)))
            if named == "click":
                continue
        if one.order_key is not None and one.order_key in order_keys:
            code = _UPLOAD + "ORDER_ID_ALREADY_IN_USE"
            text = "The imported event includes an order ID that was previously recorded."
            path = (("conversions", index), ("order_id", None))
            problems.append(Problem(code, text, path, one.order_key[0]))
    return problems
