"""Checks with `click_view`, for a few rows whose click was not found, if the account has the click.

Off by default (CHECK_CLICK_OWNERSHIP): one query covers only one day, so a click whose day is not
known needs one query per day
(https://developers.google.com/google-ads/api/fields/latest/click_view).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from lib.destinations.base import RowResult
from lib.destinations.google_ads.search import Search
from lib.model.outcomes import Problem

DAYS_BACK = 30
"""How many days before the conversion are checked: the usual click look-back window."""

ROWS_PER_FILE = 3
"""Enough to distinguish a wrong account from a few unusual clicks. At most 93 queries."""

CHECKED_CODES = frozenset(
    {
        "EVENT_NOT_FOUND",
        "CLICK_NOT_FOUND",
        "INVALID_CUSTOMER_FOR_CLICK",
        "NO_CONVERSION_ACTION_FOUND",
    }
)


def rows_to_check(request: Any, row_results: dict[int, RowResult], most: int) -> list[int]:
    """Return rows that may have been refused because the click belongs to another account."""
    rows = (
        row
        for row, row_result in sorted(row_results.items())
        if request.conversions[row].gclid
        and any(
            problem.code in CHECKED_CODES for problem in row_result.errors + row_result.warnings
        )
    )
    return [row for row, _ in zip(rows, range(most), strict=False)]


def with_ownership(
    message: Any, row_result: RowResult, customer_id: str, search: Search
) -> RowResult:
    """Return the result with a warning that shows whether the account has the click."""
    gclid = message.gclid
    if not gclid.replace("-", "").replace("_", "").isalnum():
        return row_result  # it cannot be a click ID, and is not safe to quote in a query
    day = date.fromisoformat(message.conversion_date_time[:10])
    for back in range(DAYS_BACK + 1):
        on = day - timedelta(days=back)
        query = (
            "SELECT click_view.gclid FROM click_view "
            f"WHERE click_view.gclid = '{gclid}' AND segments.date = '{on}'"
        )
        if any(True for _ in search(customer_id, query)):
            problem = Problem("CLICK_IN_ACCOUNT", "gclid", f"clicked on {on}")
            break
    else:
        problem = Problem("CLICK_NOT_IN_ACCOUNT", "gclid")
    return row_result._replace(warnings=(*row_result.warnings, problem))
