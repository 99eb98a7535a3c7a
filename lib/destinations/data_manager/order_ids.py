"""How order IDs are sent. This module imports no client library."""

from __future__ import annotations

from typing import Final

_PREFIX: Final = "order-"


def transaction_id(order_id: str) -> str:
    """Return the order ID, with the prefix `order-` if it has only digits.

    Google has refused purely numeric transaction IDs (and `validate_only` did not report it). The
    same order ID always gives the same transaction ID, so Google still recognizes a resend.
    """
    return _PREFIX + order_id if order_id.isdigit() else order_id
