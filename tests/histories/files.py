"""Files of sales and corrections, and the profiles that read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from tests.fakes import START

SOLD, REDUCED, AGAIN, REFUNDED = range(4)
STEPS: Final = ("sold", "60", "40", "refunded")
"""What a file can say of a sale: that it was sold for 100, or its new value, oldest first."""
WORTH: Final = (100.0, 60.0, 40.0, None)
"""What the sale is worth after each step. None: it is retracted."""
DEFAULT_VALUE: Final = 10.0
"""What a sale without a value is worth: that is said by its conversion action."""
WITHOUT_VALUE: Final = (6, 9)
"""The sales whose cells are empty."""

TWIN: Final = 100
"""Sale 100 has an order ID of its own, and the click and the time of sale 0; 101 those of 1."""


class SalesRow(NamedTuple):
    """A row of a file: the number of a sale, and one of `STEPS` by its position."""

    sale: int
    step: int = SOLD

    @property
    def sold_at(self) -> datetime:
        """The time of the sale, which only its twin has too."""
        return START - timedelta(days=10, seconds=self.sale % TWIN)

    @property
    def worth(self) -> float | None:
        """What the sale is worth after this step."""
        is_default = self.step == SOLD and self.sale in WITHOUT_VALUE
        return DEFAULT_VALUE if is_default else WORTH[self.step]

    @property
    def changed_at(self) -> datetime:
        """When it came to this step. No other row has this time."""
        return START - timedelta(days=9 - self.step, seconds=self.sale)

    @property
    def order_id(self) -> str:
        """Of three sales, the first has an order ID, the second a click ID, the third neither."""
        has_own = self.sale >= TWIN or self.sale % 3 == 0
        return f"order-{self.sale}" if has_own else ""

    @property
    def click_id(self) -> str:
        has_click = self.sale >= TWIN or self.sale % 3 != 2
        return f"Cj0KCQiAexample{self.sale % TWIN:08d}" if has_click else ""


NAMES: Final = ("export.csv", "night/sales.csv", "changes/refunds.csv", "nobody/sales.csv")
"""Fixed names of files. Their folders name the profiles; nobody has written the last one."""

SALES_PROFILE: Final[dict[str, Any]] = {
    "action": "1001",
    "columns": {
        **{name: name for name in ("order_id", "gclid", "email")},
        **{name: name for name in ("conversion_date_time", "conversion_value")},
    },
    "optional": ["gclid", "email"],
    "value": "action_default",
}
_CHANGES: Final = {"adjustment_date_time": "Changed on", "adjusted_value": "New value"}
SALES_ENTRIES: Final[list[dict[str, Any]]] = [
    {"rows": {"Status": ["Sold"]}},
    {"rows": {"Status": ["Reduced"]}, "send": "restatement", "columns": _CHANGES},
    {"rows": {"Status": ["Refunded"]}, "send": "retraction", "columns": _CHANGES},
]


def profiles_for(
    base: Mapping[str, Any], destination: str, adjustments_via: str = ""
) -> dict[str, Any]:
    """Return three profiles of one account and action: `default` reads sales and corrections,
    `night` sales only, `changes` corrections only. The Data Manager API alone retracts nothing."""
    has_retractions = "google_ads" in (destination, adjustments_via)
    entries = SALES_ENTRIES if has_retractions else SALES_ENTRIES[:2]
    common = {**base, **SALES_PROFILE, "destination": destination}
    with_changes = dict(common)
    if adjustments_via:
        with_changes["adjustments_via"] = adjustments_via
    profiles = {
        "default": {**with_changes, "conversions": entries},
        "night": {
            **common,
            "conversions": entries[:1],
            "skip": {"Status": ["Reduced", "Refunded"]},
        },
        "changes": {**with_changes, "conversions": entries[1:], "skip": {"Status": ["Sold"]}},
    }
    return {name: deepcopy(profile) for name, profile in profiles.items()}


_SALES_COLUMNS: Final = "order_id,gclid,email,conversion_date_time,conversion_value"


def sales_file(rows: Iterable[SalesRow], *, is_cut: bool = False) -> bytes:
    """Return a file with these rows. If it `is_cut`, its last line has no line end."""
    lines = [f"{_SALES_COLUMNS},Status,Changed on,New value"]
    for row in rows:
        email = f"buyer.{row.sale}@example.com"
        sold_for = "" if row.sale in WITHOUT_VALUE else "100"
        cells = [row.order_id, row.click_id, email, str(row.sold_at), sold_for]
        if row.step:
            value = STEPS[row.step] if STEPS[row.step].isdigit() else ""
            cells += ["Reduced" if value else "Refunded", str(row.changed_at), value]
        else:
            cells += ["Sold", "", ""]
        lines.append(",".join(cells))
    return ("\n".join(lines) + ("" if is_cut else "\n")).encode()


def sales(*numbers: int) -> tuple[SalesRow, ...]:
    """Return the rows of these sales."""
    return tuple(map(SalesRow, numbers))
